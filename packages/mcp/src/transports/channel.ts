/**
 * A duplex pipe of messages between two peers: stdio, or a pipe in memory. Carries text; what a message means
 * is read above.
 */
export interface Channel {
  /** Begins to read. Called once; nothing is delivered before. */
  start(events: ChannelEvents): void
  /**
   * Writes one message. Never throws: a pipe that is gone reports itself through `closed`.
   * Returns false when more than the bound is waiting to be written; the writer should hold back until `drained`.
   */
  send(text: string): boolean
  /** Resolves at once, or when what waits to be written is below the bound again. */
  drained(): Promise<void>
  /**
   * Lets the other side wait, where the transport can: what it writes stays with it until `resume`. No more is
   * delivered meanwhile than what was read already.
   */
  pause?(): void
  /** Reads on. */
  resume?(): void
  /** Ends the pipe in the transport's own order and resolves when it is gone. May be called twice. */
  close(): Promise<void>
}

export interface ChannelEvents {
  /** One whole message, without its line break. */
  message(text: string): void
  /**
   * A message that is not small, as bytes of UTF-8, from channels that have bytes: true where that is enough, false where
   * it is to come as text.
   */
  whole?: ((bytes: Uint8Array) => boolean) | undefined
  /** Something that is no message: noise on stdout, bytes that are not UTF-8. The pipe goes on. */
  fault(reason: string, sample: string): void
  /** The pipe is gone; nothing follows. `error` undefined means that it ended in order. */
  closed(error: Error | undefined): void
}
