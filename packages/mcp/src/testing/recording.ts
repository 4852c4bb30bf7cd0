import type { Channel } from '../transports/channel.ts'
import { type Recorded, type TranscriptOptions, toTranscript } from './transcript.ts'

/** What two peers said to each other, in the order in which the client sent and received it. */
export interface Recording {
  /** Everything so far. After 10,000 messages nothing more is kept. */
  readonly messages: readonly Recorded[]
  /** The same as text to read, to save and to compare: see `checkTranscript`. */
  text(options?: TranscriptOptions): string
}

/** Listens in on a channel from the client's end. */
export function recordChannel(channel: Channel): { readonly channel: Channel; readonly recording: Recording } {
  const messages: Recorded[] = []
  const keep = (from: Recorded['from'], text: string) => {
    if (messages.length < MAX_MESSAGES) messages.push({ from, message: parsed(text) })
  }
  return {
    channel: {
      start(events) {
        channel.start({
          ...events,
          message(text) {
            keep('server', text)
            events.message(text)
          },
        })
      },
      send(text) {
        keep('client', text)
        return channel.send(text)
      },
      drained: () => channel.drained(),
      close: () => channel.close(),
    },
    recording: { messages, text: (options) => toTranscript(messages, options) },
  }
}

function parsed(text: string): Recorded['message'] {
  try {
    return JSON.parse(text) as Recorded['message'] // of a peer: anything that is no object is written down as it is
  } catch {
    return text
  }
}

const MAX_MESSAGES = 10_000
