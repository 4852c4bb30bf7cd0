import { expect, test } from 'vitest'
import { GENESIS } from './chain.ts'
import { searchAll, toJsonLine, toOtlpLogs } from './export.ts'
import { createBench, settle } from './fixtures/evidence.ts'

async function createEvents(count: number) {
  const bench = createBench()
  const evidence = bench.open()
  for (let n = 0; n < count; n++) {
    evidence.event({ event: 'key.created', target: `k${n}`, tenant: 'acme', principal: 'ada' })
  }
  await settle()
  await evidence.close('stopped', 1_000)
  return bench
}

test('all rows of a query come newest first, page by page', async () => {
  const { store } = await createEvents(7)
  const pages: number[][] = []
  for await (const rows of searchAll(store, { limit: 3 })) pages.push(rows.map(({ seq }) => seq))
  expect(pages).toEqual([
    [9, 8, 7],
    [6, 5, 4],
    [3, 2, 1],
  ])
  const found = []
  for await (const rows of searchAll(store, { limit: 3, target: 'k4' })) found.push(...rows)
  expect(found).toMatchObject([{ index: { target: 'k4' } }])
})

test('a line has all that the hash of a row is made of', async () => {
  const { store } = await createEvents(1)
  const [row] = store.rows
  expect(row).toBeDefined()
  if (row === undefined) return
  expect(JSON.parse(toJsonLine(row))).toEqual({
    chain: row.chain,
    seq: 1,
    at: row.at,
    previous: GENESIS,
    hash: row.hash,
    record: row.record,
  })
})

test('rows are OpenTelemetry log records with the names of the field', async () => {
  const { store } = await createEvents(1)
  const row = store.rows[1]
  if (row === undefined) throw new Error('No row was written')
  expect(toOtlpLogs([row], '1.0.0')).toMatchObject({
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'service.name' }, { key: 'service.version' }] },
        scopeLogs: [
          {
            logRecords: [
              {
                timeUnixNano: `${row.at}000000`,
                severityText: 'INFO',
                body: { stringValue: row.record },
                attributes: expect.arrayContaining([
                  { key: 'enduser.id', value: { stringValue: 'ada' } },
                  { key: 'mcp.method.name', value: { stringValue: 'key.created' } },
                ]),
              },
            ],
          },
        ],
      },
    ],
  })
})
