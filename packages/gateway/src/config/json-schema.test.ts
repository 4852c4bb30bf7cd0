import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { toJsonSchema } from './json-schema.ts'

const CHECKED_IN = new URL('../../schema/crosspoint.schema.json', import.meta.url)

test('the checked-in schema is the generated one (npx vitest run --project gateway json-schema -u)', async () => {
  await expect(`${JSON.stringify(toJsonSchema(), null, 2)}\n`).toMatchFileSnapshot(fileURLToPath(CHECKED_IN))
})

test('an editor accepts the examples and variables, and marks what is wrong', async () => {
  // The validator at hand cannot combine `oneOf` with `properties`; that one keyword is looked at by eye below.
  const withoutOneOf = (key: string, value: unknown) => (key === 'oneOf' ? undefined : value)
  const schema = z.fromJSONSchema(JSON.parse(await readFile(CHECKED_IN, 'utf8'), withoutOneOf))
  const accepts = (document: unknown) => schema.safeParse(document).success
  for (const name of ['quickstart', 'views']) {
    const text = await readFile(new URL(`../../../../examples/${name}/crosspoint.yaml`, import.meta.url), 'utf8')
    expect(accepts(parse(text)), name).toBe(true)
  }
  const server = (rest: object) => accepts({ servers: { a: { command: 'node', ...rest } } })
  expect(accepts({ listen: { port: '${PORT:-8360}' } })).toBe(true)
  expect(accepts({ listen: { port: 70_000 } })).toBe(false)
  expect(server({ enabled: '${ON}', env: { PORT: 3000 } })).toBe(true)
  expect(server({ comand: 'x' })).toBe(false)
  expect(accepts({ servers: { a__b: { command: 'node' } } })).toBe(false)
  expect(accepts({ mcpServers: { 'any name': { command: 'node', disabled: true, autoApprove: [] } } })).toBe(true)
})

test('every key is described', () => {
  const undescribed: string[] = []
  const walk = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return
    const { properties } = node as { properties?: Record<string, { description?: string }> }
    for (const [key, value] of Object.entries(properties ?? {})) {
      const isHalf = key === 'include' || key === 'exclude'
      if (value.description === undefined && !isHalf) undescribed.push(`${path}.${key}`)
    }
    for (const [key, value] of Object.entries(node)) if (key !== 'oneOf') walk(value, `${path}.${key}`)
  }
  walk(toJsonSchema(), '')
  expect(undescribed).toEqual([])
})

test('an editor asks for a command or a URL', () => {
  expect(toJsonSchema()).toMatchObject({
    properties: { servers: { additionalProperties: { oneOf: [{ required: ['command'] }, { required: ['url'] }] } } },
  })
})
