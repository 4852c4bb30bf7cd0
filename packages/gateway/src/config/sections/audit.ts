import { z } from 'zod'
import { HOUR_MS, KIB, MIB, text, texts, whole } from './shapes.ts'

const CONTENT = 'Must be none, shape or full'
const content = z.enum(['none', 'shape', 'full'], { error: CONTENT })

export const audit = z
  .strictObject(
    {
      content: content
        .default('shape')
        .describe('What is recorded of arguments: nothing, names with types and sizes, or all but what is redacted.'),
      contentFor: z
        .array(
          z.strictObject(
            {
              tools: texts.describe('Merged names of tools and prompts; `*` stands for any run of characters.'),
              content: content.describe('What is recorded of their arguments.'),
            },
            { error: 'Must be a mapping with "tools" and "content"' },
          ),
          { error: 'Must be a list' },
        )
        .default([])
        .describe('The same for some tools only; the first that matches counts.'),
      redact: z
        .array(
          z.strictObject(
            {
              tools: texts.describe('Merged names of tools and prompts. Default: all.').optional(),
              arguments: texts.describe(
                'Members of arguments, as `token` or `auth.code`; `*` stands for any member, `**` for any depth.',
              ),
            },
            { error: 'Must be a mapping with "arguments"' },
          ),
          { error: 'Must be a list' },
        )
        .default([])
        .describe('What is never recorded, besides members whose names look like secrets.'),
      maxContentLength: whole(KIB, MIB)
        .prefault(16 * KIB)
        .describe('Longest arguments that are recorded in full, in characters; of longer ones the shape.'),
      results: z
        .enum(['none', 'size', 'hash'], { error: 'Must be none, size or hash' })
        .default('hash')
        .describe('What is recorded of results: nothing, their size, or their size and SHA-256.'),
      acknowledge: z
        .enum(['before-answer', 'batched'], { error: 'Must be before-answer or batched' })
        .default('batched')
        .describe('Whether a caller gets its answer only when the record is kept.'),
      onLoss: z
        .enum(['refuse', 'count'], { error: 'Must be refuse or count' })
        .default('refuse')
        .describe('What becomes of calls that could not be recorded: refused, or let through and counted.'),
      batchRecords: whole(1, 10_000).prefault(2_000).describe('Most records written at once.'),
      batchDelayMs: whole(0, 10_000)
        .prefault(50)
        .describe('How long a record waits for others to be written with it, in milliseconds.'),
      maxWaitingRecords: whole(1, 1_000_000)
        .prefault(50_000)
        .describe('Most records that wait while the store is away; beyond it, `onLoss`.'),
      maxWaitingBytes: whole(64 * KIB, 1024 * MIB)
        .prefault(64 * MIB)
        .describe('Most characters of such records; beyond it, `onLoss`.'),
      checkpointRecords: whole(1, 1_000_000)
        .prefault(5_000)
        .describe('A signed checkpoint is made at the latest after so many records.'),
      checkpointMs: whole(1_000, 24 * HOUR_MS)
        .prefault(60_000)
        .describe('And at the latest so long after a record, in milliseconds.'),
      keyFile: text
        .describe(
          'The key that signs checkpoints, made where there is none. Relative to this file. Keep it away from the store. Default: `crosspoint/audit.key` in your configuration folder.',
        )
        .optional(),
      anchor: text
        .describe('A file to which checkpoints are appended, relative to this one, or `stderr` for the log.')
        .optional(),
      retentionDays: whole(1, 36_500).describe('Records are forgotten after so many days. Default: never.').optional(),
    },
    { error: 'Must be a mapping; "audit: {}" takes all defaults' },
  )
  .describe('Evidence of what happens: a signed chain of records in the store. Absent: only the line in the log.')
