import { readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { METRICS, toTelemetryMarkdown } from './names.ts'

test('docs/telemetry.md says what the tables say', async () => {
  const file = new URL('../../../../docs/telemetry.md', import.meta.url)
  if (process.env.UPDATE_DOCS === '1') await writeFile(file, toTelemetryMarkdown())
  expect(await readFile(file, 'utf8'), 'Stale: run with UPDATE_DOCS=1').toBe(toTelemetryMarkdown())
})

test('no two metrics are one where "." is "_"', () => {
  const names = Object.keys(METRICS).map((name) => name.replaceAll('.', '_'))
  expect(new Set(names).size).toBe(names.length)
})
