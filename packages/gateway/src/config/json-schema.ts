import { z } from 'zod'
import { configSchema } from './schema.ts'

interface SchemaNode {
  properties?: Record<string, unknown>
  patternProperties?: Record<string, unknown>
  oneOf?: unknown[]
  title?: string
  [keyword: string]: unknown
}

/**
 * The JSON Schema of `crosspoint.yaml` for editors, generated from the one schema. Draft-07, which is what the
 * editors' language servers know best.
 */
export function toJsonSchema(): SchemaNode {
  const schema: SchemaNode = z.toJSONSchema(configSchema, {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema }) => decorate(jsonSchema as SchemaNode),
  })
  // Room for anchors, as in compose files; our reader skips them.
  return { ...schema, title: 'Crosspoint configuration', patternProperties: { '^x-': {} } }
}

function decorate(node: SchemaNode): void {
  const { properties } = node
  // A server is started or remote: `checkConfig` says so with better words, editors while typing.
  if (properties !== undefined && 'command' in properties) node.oneOf = [having('command'), having('url')]
}

function having(key: string): SchemaNode {
  return { type: 'object', properties: { [key]: {} }, required: [key] }
}
