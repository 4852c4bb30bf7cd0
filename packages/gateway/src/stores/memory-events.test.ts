import { createMemoryEventStore } from '@crosspoint/mcp/transports'
import { createFakeClock } from '@crosspoint/testkit'
import { describe } from 'vitest'
import { eventStoreSuite } from './contract/event-store.suite.ts'

describe('events in memory', () => {
  let clock = createFakeClock()
  eventStoreSuite(
    async (bounds) => {
      clock = createFakeClock()
      return createMemoryEventStore({ ...bounds, clock })
    },
    (length) => length * 2 + 128,
    async (ms) => void clock.advance(ms),
  )
})
