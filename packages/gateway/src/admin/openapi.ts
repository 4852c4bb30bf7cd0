import { z } from 'zod'
import type { Operation } from './contract/operation.ts'
import { OPERATIONS } from './contract/operations.ts'
import { PROBLEM_CODES } from './problem.ts'
import { BASE, type OperationId, routeOf } from './routes.ts'

interface JsonObject {
  readonly [key: string]: unknown
}

/** The OpenAPI 3.1 document of the contract, from the very schemas that requests are checked with. */
export function toOpenApi(version: string): JsonObject {
  const schemas: Record<string, JsonObject> = { Problem: PROBLEM }
  const paths: Record<string, Record<string, JsonObject>> = {}
  // The keys of the table are its type's keys.
  for (const id of Object.keys(OPERATIONS) as OperationId[]) {
    const { method, path } = routeOf(id)
    const at = BASE + path.replaceAll(/:(\w+)/g, '{$1}')
    paths[at] ??= {}
    paths[at][method.toLowerCase()] = toOperation(id, OPERATIONS[id], schemas)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Crosspoint admin API',
      version,
      description:
        'What consoles and the command line ask and tell a gateway that runs. Answers may gain members within version 1.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://127.0.0.1:8361' }],
    security: [{ bearer: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description:
            'The token of this start or of "admin.token", or one of "auth.issuers" with a role of "admin.roles".',
        },
      },
    },
  }
}

function toOperation(id: string, operation: Operation, schemas: Record<string, JsonObject>): JsonObject {
  const { tag, summary, about, role, status = 200, otherStatus, form, answer, body } = operation
  const type = form === undefined ? 'application/json' : form === 'jsonl' ? 'application/jsonl' : 'text/event-stream'
  const given = { description: summary, content: { [type]: { schema: toSchema(answer, 'output', schemas) } } }
  const needs = role === 'anyone' ? 'Needs no token.' : `Needs the role \`${role}\`.`
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: about === undefined ? needs : `${about} ${needs}`,
    ...(role === 'anyone' ? { security: [{}] } : {}),
    parameters: [
      ...toParameters(operation.params, 'path', schemas),
      ...toParameters(operation.query, 'query', schemas),
    ],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: toSchema(body, 'input', schemas) } },
          },
        }),
    responses: {
      [status]: given,
      ...(otherStatus === undefined ? {} : { [otherStatus]: given }),
      default: {
        description: 'What is wrong (RFC 9457)',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  }
}

function toParameters(
  schema: z.ZodObject | undefined,
  place: 'path' | 'query',
  schemas: Record<string, JsonObject>,
): readonly JsonObject[] {
  if (schema === undefined) return []
  const { properties = {}, required = [] } = toSchema(schema, 'input', schemas) as {
    readonly properties?: Readonly<Record<string, JsonObject>>
    readonly required?: readonly string[]
  }
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }))
}

/** Those with a name of their own go to the document's schemas, and are pointed to. */
function toSchema(schema: z.ZodType, io: 'input' | 'output', schemas: Record<string, JsonObject>): JsonObject {
  const { $schema: _, $defs = {}, ...own } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonObject
  for (const [name, definition] of Object.entries($defs as Readonly<Record<string, JsonObject>>)) {
    schemas[name] = pointed(definition) as JsonObject
  }
  return pointed(own) as JsonObject
}

function pointed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pointed)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).flatMap(([key, inner]) => {
    if (key === '$ref' && typeof inner === 'string') return [[key, inner.replace('#/$defs/', '#/components/schemas/')]]
    // The name it goes by in the document.
    return key === 'id' && typeof inner === 'string' ? [] : [[key, pointed(inner)]]
  })
  return Object.fromEntries(entries)
}

const PROBLEM: JsonObject = {
  type: 'object',
  description: 'RFC 9457',
  required: ['type', 'title', 'status', 'detail', 'code', 'correlation'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: PROBLEM_CODES },
    hint: { type: 'string', description: 'What would work.' },
    errors: { type: 'array', items: { type: 'object' }, description: 'The parts that are wrong.' },
    correlation: { type: 'string', description: 'By which the log can be asked for more.' },
  },
}
