import { z } from 'zod'
import { HOUR_MS, section, text, whole } from './shapes.ts'

const URL_RULE = 'Must be an http:// or https:// URL, or unix:/ and the path of a socket'

const address = text.regex(/^https?:\/\/|^unix:\/|\$\{/i, URL_RULE)

export const urls = z
  .array(
    z.union(
      [
        address,
        z.strictObject({
          url: address.describe('Endpoint of the replica.'),
          weight: whole(1, 100).prefault(1).describe('How much of the calls it gets, next to the others.'),
        }),
      ],
      { error: 'Must be a URL, or a mapping with "url" and "weight"' },
    ),
    { error: 'Must be a list of URLs' },
  )
  .min(1, 'Must not be empty')
  .max(64, 'Must not have more than 64 addresses')

/** How calls are spread over several addresses, or processes, of one server. */
export const replicas = section(
  {
    balance: z
      .enum(['random-two', 'least-pending', 'round-robin'], {
        error: 'Must be random-two, least-pending or round-robin',
      })
      .default('random-two')
      .describe(
        'Which replica gets a call: of two drawn by lot the one that will be done sooner (`random-two`), the one with the fewest calls at work (`least-pending`), or one after the other (`round-robin`).',
      ),
    sticky: z
      .enum(['auto', 'never'], { error: 'Must be auto or never' })
      .default('auto')
      .describe(
        'Whether calls that share a session with a server stay on one replica (`auto`), or its sessions hold nothing (`never`).',
      ),
    checkMs: whole(0, HOUR_MS)
      .prefault(10_000)
      .describe('Between two checks of a replica, in milliseconds; 0 checks none.'),
    checkTimeoutMs: whole(1, HOUR_MS).prefault(2_000).describe('How long a check may take, in milliseconds.'),
    failures: whole(1, 1_000)
      .prefault(3)
      .describe('Checks or calls in a row that fail before a replica is left alone.'),
    ejectMs: whole(1, HOUR_MS)
      .prefault(5_000)
      .describe('For how long it is left alone at first, in milliseconds; doubled each time it fails again.'),
    maxEjectMs: whole(1, 24 * HOUR_MS)
      .prefault(300_000)
      .describe('For how long at most, in milliseconds.'),
  },
  'How calls are spread over several addresses, or processes, of one server.',
)
