import { expect, test } from 'vitest'
import { ENVELOPE_REVISIONS, HANDSHAKE_REVISIONS } from '../revisions/index.ts'
import { type Served, toEnvelopeRevision } from './served.ts'

// Only the revisions matter here; everything else of a conversation is made by the doors.
const speaking = (some: Partial<Served>) => ({ envelopes: [], handshakes: [], ...some }) as unknown as Served

test('an unknown version is answered with those a request may name instead, and a text that names all', () => {
  const served = speaking({ envelopes: ENVELOPE_REVISIONS, handshakes: HANDSHAKE_REVISIONS })
  expect(() => toEnvelopeRevision(served, 'v999')).toThrow(
    expect.objectContaining({
      code: 'caller.unsupported_revision',
      data: { requested: 'v999', supported: ENVELOPE_REVISIONS.map((revision) => revision.name) },
      message: expect.stringContaining(HANDSHAKE_REVISIONS.at(-1)?.name ?? 'none'),
    }),
  )
})

test('an endpoint of handshake revisions only names those, so that a client can open with one', () => {
  expect(() => toEnvelopeRevision(speaking({ handshakes: HANDSHAKE_REVISIONS }), 'v999')).toThrow(
    expect.objectContaining({
      data: { requested: 'v999', supported: HANDSHAKE_REVISIONS.map((revision) => revision.name) },
    }),
  )
})
