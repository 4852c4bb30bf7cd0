import { expect, test } from 'vitest'
import { ENVELOPE_REVISIONS, HANDSHAKE_REVISIONS } from '../revisions/index.ts'
import type { Revision } from '../revisions/revision.ts'
import { unsupportedRevision } from './served.ts'

const byName = (revisions: readonly Revision[]) => new Map(revisions.map((revision) => [revision.name, revision]))

test('an unknown version is answered with those a request may name instead, and a text that names all', () => {
  const served = { envelopes: byName(ENVELOPE_REVISIONS), handshakes: HANDSHAKE_REVISIONS }
  expect(unsupportedRevision(served, 'v999')).toMatchObject({
    code: 'caller.unsupported_revision',
    data: { requested: 'v999', supported: ENVELOPE_REVISIONS.map((revision) => revision.name) },
    message:
      'Cannot speak version "v999"; supported: 2026-07-28; after "initialize": 2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05',
  })
})

test('an endpoint of handshake revisions only names those, so that a client can open with one', () => {
  expect(unsupportedRevision({ envelopes: new Map(), handshakes: HANDSHAKE_REVISIONS }, 'v999')).toMatchObject({
    data: { requested: 'v999', supported: HANDSHAKE_REVISIONS.map((revision) => revision.name) },
  })
})
