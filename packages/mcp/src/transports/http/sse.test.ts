import { createDoors, openHttp, toEnveloped } from '@crosspoint/testkit'
import fc from 'fast-check'
import { afterEach, expect, it } from 'vitest'
import { toEvent } from './sse.ts'

const doors = createDoors()
afterEach(() => doors.closeAll())

/** A reader of event streams as WHATWG HTML §9.2.6 has it, fed piece by piece. */
function createReader() {
  let held = ''
  let lines: string[] = []
  const events: string[] = []
  return {
    events,
    push(text: string) {
      held += text
      for (let end = held.search(/\r\n|\n|\r(?!$)/); end !== -1; end = held.search(/\r\n|\n|\r(?!$)/)) {
        const line = held.slice(0, end)
        held = held.slice(end + (held.startsWith('\r\n', end) ? 2 : 1))
        if (line !== '') {
          lines.push(line)
          continue
        }
        const data = lines.filter((given) => given.startsWith('data:')).map((given) => given.slice(5).replace(/^ /, ''))
        if (data.length > 0) events.push(data.join('\n'))
        lines = []
      }
    },
  }
}

it('any message survives as one event, however the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 20 }), (values, points) => {
      const texts = values.map((value) => JSON.stringify({ value, odd: '\n\r\u2028\u2029: data:' }))
      const stream = texts.map((text) => toEvent(text)).join(': \n\n')
      const reader = createReader()
      let at = 0
      for (const point of points.map((given) => given % (stream.length + 1)).sort((a, b) => a - b)) {
        reader.push(stream.slice(at, point))
        at = point
      }
      reader.push(stream.slice(at))
      expect(reader.events).toEqual(texts)
    }),
  )
})

it('a message is written in one piece, so that comments never come in between', async () => {
  const { url } = await doors.open(async (call) => {
    for (let i = 1; i <= 200; i++) {
      call.interim.notify({ method: 'notifications/progress', params: { progress: i, message: 'x'.repeat(i * 50) } })
    }
    return {}
  })
  const stream = await openHttp(url, toEnveloped('tools/call', { name: 't' }, { meta: { progressToken: 1 } }))
  for (let i = 1; i <= 200; i++) expect((await stream.next()).params.progress).toBe(i)
  expect((await stream.next()).result).toBeDefined()
})
