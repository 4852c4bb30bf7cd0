import { toDifference } from './difference.ts'
import type { Recording } from './recording.ts'
import type { TranscriptOptions } from './transcript.ts'

/** Says where a conversation differs from what it was; undefined where it does not. */
export function compareTranscript(
  found: Recording | string,
  expected: string,
  options?: TranscriptOptions,
): string | undefined {
  return toDifference(expected, typeof found === 'string' ? found : found.text(options))
}

/**
 * Holds a conversation against one that was saved.
 * @param expected what `transcript.text()` gave when it was right, from a file of yours or a string in the test
 * @throws {Error} with the lines that differ
 * @example
 * checkTranscript(client.transcript, await readFile('add.transcript', 'utf8'))
 */
export function checkTranscript(found: Recording | string, expected: string, options?: TranscriptOptions): void {
  const difference = compareTranscript(found, expected, options)
  if (difference !== undefined) throw new Error(`The conversation is not the one expected:\n${difference}`)
}
