/** One object a line, or one an event, as fast as they are read; an empty piece keeps an event stream alive. */
export function toStream(
  pieces: AsyncIterable<readonly object[]>,
  form: 'jsonl' | 'events',
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const write = form === 'jsonl' ? toLine : toEvent
  const reading = pieces[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reading.next()
      if (done === true) controller.close()
      else controller.enqueue(encoder.encode(value.length === 0 ? ': still here\n\n' : value.map(write).join('')))
    },
    async cancel() {
      await reading.return?.()
    },
  })
}

function toLine(value: object): string {
  return `${JSON.stringify(value)}\n`
}

function toEvent(value: object): string {
  const name = 'type' in value ? `event: ${String(value.type)}\n` : ''
  return `${name}data: ${JSON.stringify(value)}\n\n`
}
