import { HOUR_MS, section, whole } from './shapes.ts'

export const timeouts = section(
  {
    connectMs: whole(1, HOUR_MS)
      .prefault(30_000)
      .describe('Longest wait until a server is connected, in milliseconds.'),
    probeMs: whole(1, HOUR_MS)
      .prefault(5_000)
      .describe('How long a started server may stay silent when asked for its revision, in milliseconds.'),
    requestMs: whole(1, 24 * HOUR_MS)
      .prefault(60_000)
      .describe('Longest wait for an answer without progress, in milliseconds.'),
    maxRequestMs: whole(1, 24 * HOUR_MS)
      .prefault(HOUR_MS / 4)
      .describe('Longest wait for an answer whatever progress is made, in milliseconds.'),
    sessionIdleMs: whole(1_000, 7 * 24 * HOUR_MS)
      .prefault(HOUR_MS / 2)
      .describe('A session nobody uses ends after this, in milliseconds.'),
    upstreamIdleMs: whole(1_000, 7 * 24 * HOUR_MS)
      .prefault(HOUR_MS / 6)
      .describe('A session with a server on behalf of callers that nobody uses ends after this, in milliseconds.'),
    relistMs: whole(10_000, 24 * HOUR_MS)
      .prefault(HOUR_MS / 12)
      .describe(
        'How often a server is asked for its lists again that does not tell of changes, nor how long its lists hold, in milliseconds.',
      ),
    inputMs: whole(1_000, 24 * HOUR_MS)
      .prefault(HOUR_MS / 6)
      .describe('How long a caller may take to bring answers to a question of the server, in milliseconds.'),
    iconMs: whole(1, 10 * 60_000)
      .prefault(10_000)
      .describe('How long an icon may take to be fetched, in milliseconds; lists do not wait for it.'),
    drainMs: whole(0, HOUR_MS)
      .prefault(25_000)
      .describe('On shutdown, how long open calls may still finish, in milliseconds.'),
    killGraceMs: whole(0, 10 * 60_000)
      .prefault(2_000)
      .describe('How long a started server may take to exit once its stdin is closed, and again once asked by signal.'),
  },
  'Waits.',
)
