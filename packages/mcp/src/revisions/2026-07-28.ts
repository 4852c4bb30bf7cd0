import type { Delta } from './revision.ts'

/** The stateless revision. What is spoken inside is its vocabulary, so that it differs in nothing. */
export const r20260728: Delta<'2026-07-28'> = { name: '2026-07-28', traits: {} }
