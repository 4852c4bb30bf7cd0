import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeError, encodeNotification, encodeRequest, encodeResult } from './encode.ts'
import { FrameFault } from './fault.ts'
import type { JsonObject } from './frame.ts'
import { CALLER_LIMITS, type FrameLimits, UPSTREAM_LIMITS } from './limits.ts'
import { parseMessage } from './parse.ts'

function parse(text: string, limits: Partial<FrameLimits> = {}) {
  return parseMessage(text, { ...CALLER_LIMITS, ...limits })
}

function fault(text: string, limits: Partial<FrameLimits> = {}): FrameFault {
  try {
    parse(text, limits)
  } catch (error) {
    if (error instanceof FrameFault) return error
    throw error
  }
  throw new Error(`Read "${text}"`)
}

const call = (members: string) => `{"jsonrpc":"2.0","method":"m",${members}}`

describe('frames', () => {
  test('a request keeps its id with its type, its method and its params', () => {
    expect(parse(call('"id":1,"params":{"a":[1]}'))).toEqual({
      kind: 'request',
      id: 1,
      method: 'm',
      params: { a: [1] },
    })
    expect(parse(call('"id":"1"'))).toEqual({ kind: 'request', id: '1', method: 'm', params: {} })
    expect(parse(call(`"id":"${'x'.repeat(1024)}"`))).toMatchObject({ kind: 'request' })
    expect(parse(call('"id":""'))).toEqual({ kind: 'request', id: '', method: 'm', params: {} })
    expect(parse(call('"id":-7'))).toEqual({ kind: 'request', id: -7, method: 'm', params: {} })
  })

  test('a message without an id is a notification', () => {
    expect(parse('{"jsonrpc":"2.0","method":"n"}')).toEqual({ kind: 'notification', method: 'n', params: {} })
  })

  test('a reply is a result or an error, and an error may come without an id or with null', () => {
    expect(parse('{"jsonrpc":"2.0","id":3,"result":{}}')).toEqual({ kind: 'result', id: 3, result: {} })
    const error = { code: -32600, message: 'no', data: { a: null } }
    for (const [id, read] of [
      ['"id":"x",', 'x'],
      ['"id":null,', undefined],
      ['', undefined],
    ] as const) {
      expect(parse(`{"jsonrpc":"2.0",${id}"error":${JSON.stringify(error)}}`)).toEqual({
        kind: 'error',
        id: read,
        error,
      })
    }
  })

  test('members nobody knows do not matter', () => {
    expect(parse(call('"id":1,"extra":{"x":1},"trace":[]'))).toEqual({
      kind: 'request',
      id: 1,
      method: 'm',
      params: {},
    })
  })

  test('every JSON value arrives as it was sent, in params, results and error data', () => {
    // Half pairs and negative zero are what cannot be sent; both have tests of their own.
    const text = fc.string({ unit: 'grapheme' })
    const value = fc
      .jsonValue({ stringUnit: 'grapheme', noUnicodeString: false })
      .filter((v) => !/-0(?![.\d])/.test(print(v)))
    fc.assert(
      fc.property(value, text, fc.oneof(text, fc.maxSafeInteger()), (json, method, id) => {
        if (Object.is(id, -0)) return
        const params = { json } as JsonObject
        expect(parse(encodeRequest(id, `m${method}`, params))).toEqual({
          kind: 'request',
          id,
          method: `m${method}`,
          params,
        })
        expect(parse(encodeNotification(`m${method}`, params))).toEqual({
          kind: 'notification',
          method: `m${method}`,
          params,
        })
        expect(parse(encodeResult(id, params))).toEqual({ kind: 'result', id, result: params })
        const error = { code: 1, message: method, data: json }
        expect(parse(encodeError(id, error))).toEqual({ kind: 'error', id, error })
      }),
      { numRuns: 500 },
    )
  })

  function print(value: unknown): string {
    return JSON.stringify(value, (_, at: unknown) => (Object.is(at, -0) ? '-0' : at))
  }

  test('an encoded message is one line, whatever it holds', () => {
    const nasty = '\n\r\u2028\u0000"\\\ud800'
    expect(encodeRequest(nasty, nasty, { [nasty]: nasty })).not.toMatch(/[\n\r]/)
    expect(encodeError(nasty, { code: 1, message: nasty, data: nasty })).not.toMatch(/[\n\r]/)
  })
})

describe('abuse-06: text that is not JSON gets -32700', () => {
  test.each([
    ['nothing', ''],
    ['blanks', '  \n'],
    ['a word', 'hello'],
    ['a cut message', '{"jsonrpc":"2.0","id":1,'],
    ['a byte order mark', '\uFEFF{"jsonrpc":"2.0","method":"m"}'],
    ['a comment', '{"jsonrpc":"2.0",/* */"method":"m"}'],
    ['a trailing comma', '{"jsonrpc":"2.0","method":"m",}'],
    ['single quotes', "{'jsonrpc':'2.0'}"],
    ['NaN', call('"id":1,"params":{"a":NaN}')],
    ['a number with a leading zero', call('"id":01')],
    ['two messages', `${call('"id":1')}${call('"id":2')}`],
    ['a raw control character in a string', '{"jsonrpc":"2.0","method":"m\n"}'],
    ['only closing brackets', ']]]]}}}}'],
  ])('abuse-06: %s', (_, text) => {
    expect(fault(text)).toMatchObject({ rpcCode: -32700, idText: undefined })
  })

  test.each([
    call('"id":5,"params":{"a":"\\ud800"}'),
    call('"id":5,"params":{"\\udc00":1}'),
    call('"id":5,"params":{"a":"\\ude00\\ud83d"}'),
  ])('abuse-06: half a surrogate pair in %s, with the id of the message', (text) => {
    expect(fault(text)).toMatchObject({ rpcCode: -32700, idText: '5' })
  })

  test('abuse-06: whole pairs, escaped or not, are text', () => {
    const frame = parse(call('"id":1,"params":{"a":"\\ud83d\\ude00😀"}'))
    expect(frame).toMatchObject({ params: { a: '😀😀' } })
  })
})

describe('abuse-07: JSON that is no frame gets -32600', () => {
  test.each([
    ['null', 'null', undefined],
    ['a number', '7', undefined],
    ['a string', '"x"', undefined],
    ['no version', '{"id":1,"method":"m"}', '1'],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"m"}', '1'],
    ['a version that is a number', '{"jsonrpc":2.0,"id":"a","method":"m"}', '"a"'],
    ['an id that is null', call('"id":null'), undefined],
    ['an id that is an object', call('"id":{"a":1}'), undefined],
    ['an id that is a list', call('"id":[1]'), undefined],
    ['an id that is true', call('"id":true'), undefined],
    ['an id that is a fraction', call('"id":1.5'), undefined],
    ['an id of more than 1,024 characters', call(`"id":"${'x'.repeat(1025)}"`), undefined],
    ['no method and no answer', '{"jsonrpc":"2.0","id":1}', '1'],
    ['a method that is no text', '{"jsonrpc":"2.0","id":1,"method":7}', '1'],
    ['a method that is empty', '{"jsonrpc":"2.0","id":1,"method":""}', '1'],
    ['params that are a list', call('"id":1,"params":[1]'), '1'],
    ['params that are null', call('"id":1,"params":null'), '1'],
    ['both result and error', '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}', '1'],
    ['both method and result', call('"id":1,"result":{}'), '1'],
    ['both method and error', call('"id":1,"error":{"code":1,"message":""}'), '1'],
    ['a result that is a list', '{"jsonrpc":"2.0","id":1,"result":[]}', '1'],
    ['a result that is null', '{"jsonrpc":"2.0","id":1,"result":null}', '1'],
    ['a result without an id', '{"jsonrpc":"2.0","result":{}}', undefined],
    ['a result whose id is null', '{"jsonrpc":"2.0","id":null,"result":{}}', undefined],
    ['an error that is text', '{"jsonrpc":"2.0","id":1,"error":"no"}', '1'],
    ['an error without a code', '{"jsonrpc":"2.0","id":1,"error":{"message":"no"}}', '1'],
    ['an error with a fractional code', '{"jsonrpc":"2.0","id":1,"error":{"code":1.5,"message":"no"}}', '1'],
    ['an error without a message', '{"jsonrpc":"2.0","id":1,"error":{"code":1}}', '1'],
    ['an empty batch', '[]', undefined],
  ])('abuse-07: %s', (_, text, idText) => {
    expect(fault(text)).toMatchObject({ rpcCode: -32600, idText })
  })

  test('abuse-07: what we say about a message is short and free of control characters', () => {
    const method = `\\u001b[31m\\u202e${'x'.repeat(500)}`
    const { message } = fault(`{"jsonrpc":"2.0","id":1,"method":"${method}","params":[]}`)
    expect(message.length).toBeLessThan(150)
    expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })
})

describe('batches', () => {
  const member = '{"jsonrpc":"2.0","method":"n"}'

  test('the members come in order', () => {
    expect(parse(`[${call('"id":1')},${member}]`)).toMatchObject([{ kind: 'request', id: 1 }, { kind: 'notification' }])
  })

  test('as many as the limit work, one more does not', () => {
    const batch = (size: number) => `[${Array(size).fill(member).join()}]`
    expect(parse(batch(50))).toHaveLength(50)
    expect(fault(batch(51))).toMatchObject({ rpcCode: -32600, idText: undefined })
    expect(parse(batch(3), { maxBatch: 3 })).toHaveLength(3)
  })

  test.each([`[${member},7]`, `[[${member}]]`, `[${call('"id":1.5')}]`, `[${call('"id":9007199254740993')}]`])(
    'a member that is no frame spoils the batch: %s',
    (text) => {
      expect(fault(text, { inexactNumbers: 'allow' })).toMatchObject({ rpcCode: -32600 })
    },
  )
})

describe('abuse-09: nesting', () => {
  const nested = (levels: number) => call(`"id":4,"params":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`)

  test('abuse-09: 64 levels are read, 65 are refused with -32600 and the id of the message', () => {
    expect(parse(nested(62))).toMatchObject({ kind: 'request' })
    expect(fault(nested(63))).toMatchObject({ rpcCode: -32600, idText: '4' })
  })

  test('abuse-09: an id that follows what is too deep is still found', () => {
    const text = `{"method":"m","params":{"a":${'['.repeat(90)}${']'.repeat(90)}},"jsonrpc":"2.0","id":"after"}`
    expect(fault(text)).toMatchObject({ rpcCode: -32600, idText: '"after"' })
  })

  test('abuse-09: a message that is cut off in the depth is refused without an id that is not whole', () => {
    expect(fault(`{"a":${'['.repeat(90)}`)).toMatchObject({ rpcCode: -32600, idText: undefined })
    expect(fault(`{"id":"x${'['.repeat(90)}`)).toMatchObject({ rpcCode: -32700 })
    expect(fault(`{"x":${'['.repeat(90)}${']'.repeat(90)},"id":"x`)).toMatchObject({
      rpcCode: -32600,
      idText: undefined,
    })
    expect(fault(`{"id":007,"x":${'['.repeat(90)}`)).toMatchObject({ rpcCode: -32600, idText: undefined })
  })

  test('abuse-09: a million levels cost a look at the first 65', () => {
    expect(fault('['.repeat(1_000_000))).toMatchObject({ rpcCode: -32600 })
    expect(fault('{"a":'.repeat(1_000_000))).toMatchObject({ rpcCode: -32600 })
  })

  test('abuse-09: whatever is read can be written again', () => {
    expect(JSON.stringify(parse(nested(62)))).toContain('[[[[')
  })
})

describe('abuse-10: keys named twice', () => {
  test.each([
    ['{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}', '1'],
    [call('"id":1,"params":{"name":"safe","name":"danger"}'), '1'],
    [call('"id":1,"params":{"name":"safe","n\\u0061me":"danger"}'), '1'],
    [call('"id":"q","params":{"arguments":{"x":[{"__proto__":1,"__proto__":2}]}}'), '"q"'],
    [call('"id":1,"id":2'), undefined],
    [`[${call('"id":1,"params":{"a":1,"a":2}')}]`, undefined],
  ])('abuse-10: %s gets -32600', (text, idText) => {
    expect(fault(text)).toMatchObject({ rpcCode: -32600, idText })
  })

  test('abuse-10: the message says which key', () => {
    expect(fault(call('"id":1,"params":{"name":1,"name":2}')).message).toContain('"name"')
  })

  test('abuse-10: where they are allowed the last one counts, as in JSON.parse', () => {
    expect(parse(call('"id":1,"params":{"a":1,"a":2}'), { duplicateKeys: 'allow' })).toMatchObject({ params: { a: 2 } })
  })
})

describe('abuse-11: keys that name prototypes are only data', () => {
  const text = call('"id":1,"params":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')

  test('abuse-11: they are own members, and no prototype changes', () => {
    const frame = parse(text) as { params: JsonObject }
    expect(Object.keys(frame.params)).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(frame.params)).toBe(Object.prototype)
    expect(({} as JsonObject).polluted).toBeUndefined()
  })

  test('abuse-11: a frame is not made one by its prototype', () => {
    expect(fault('{"__proto__":{"jsonrpc":"2.0","id":1,"method":"m"}}')).toMatchObject({ rpcCode: -32600 })
    expect(fault('{"jsonrpc":"2.0","__proto__":{"id":1,"result":{}}}')).toMatchObject({ rpcCode: -32600 })
  })
})

describe('abuse-12: numbers', () => {
  test.each(['1e400', '-0', '9007199254740993', '-9007199254740993', '1732163456123456789'])(
    'abuse-12: %s as an argument gets -32602 with the number and the id',
    (number) => {
      const found = fault(call(`"id":"a","params":{"n":${number}}`))
      expect(found).toMatchObject({ rpcCode: -32602, idText: '"a"' })
      expect(found.message).toContain(number)
    },
  )

  test.each(['0.1', '1e21', '1.0', '9007199254740991', '5e-324', '9007199254740992', '1732163456123456800'])(
    'abuse-12: %s is passed on',
    (number) => {
      expect(parse(call(`"id":1,"params":{"n":${number}}`))).toMatchObject({ params: { n: Number(number) } })
    },
  )

  test.each(['9007199254740993', '-9007199254740993', '123456789012345678901234567890', '-0'])(
    'abuse-12: the id %s is echoed exactly as it was written',
    (id) => {
      expect(fault(call(`"id":${id}`))).toMatchObject({ rpcCode: -32602, idText: id })
      expect(fault(call(`"params":{"a":{"id":1}},"id" : ${id} `))).toMatchObject({ idText: id })
    },
  )

  test('abuse-12: an id that cannot be kept is refused even where such numbers are allowed', () => {
    expect(fault(call('"id":9007199254740993'), UPSTREAM_LIMITS)).toMatchObject({
      rpcCode: -32600,
      idText: '9007199254740993',
    })
  })

  test('abuse-12: upstream results may hold such numbers', () => {
    const frame = parse('{"jsonrpc":"2.0","id":1,"result":{"n":9007199254740993}}', UPSTREAM_LIMITS)
    expect(frame).toMatchObject({ kind: 'result' })
  })
})

describe('hostile text', () => {
  const valid = [
    call('"id":1,"params":{"name":"tool","arguments":{"a":[1,2,{"b":"c\\u0041\\ud83d\\ude00"}],"n":-1.5e3}}'),
    '{"jsonrpc":"2.0","id":"x","result":{"content":[{"type":"text","text":"a \\"quoted\\" \\\\ text"}],"n":[0,1,true,null]}}',
    '{"jsonrpc":"2.0","id":2,"error":{"code":-32602,"message":"m","data":{"uri":"file:///a"}}}',
    `[${call('"id":1')},{"jsonrpc":"2.0","method":"n"}]`,
  ]
  const bits = [
    ...'{}[]",:\\-0 1eE.\n',
    '\\u',
    '\\ud8',
    '"id":',
    '__proto__',
    '9007199254740993',
    'null',
    '\uFEFF',
    '\u0000',
  ]

  test('any change of a valid message is read, or refused with a fault that has a code', () => {
    const edit = fc.record({
      at: fc.nat(400),
      cut: fc.nat(4),
      put: fc.array(fc.constantFrom(...bits), { maxLength: 3 }),
    })
    fc.assert(
      fc.property(fc.constantFrom(...valid), fc.array(edit, { minLength: 1, maxLength: 4 }), (text, edits) => {
        let changed = text
        for (const { at, cut, put } of edits) {
          const from = at % (changed.length + 1)
          changed = changed.slice(0, from) + put.join('') + changed.slice(from + cut)
        }
        check(changed)
      }),
      { numRuns: 5000 },
    )
  })

  test('any text is read, or refused with a fault that has a code', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), check))
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...bits)).map((parts) => parts.join('')),
        check,
      ),
      { numRuns: 2000 },
    )
  })

  function check(text: string): void {
    for (const limits of [CALLER_LIMITS, UPSTREAM_LIMITS]) {
      try {
        parseMessage(text, limits)
      } catch (error) {
        expect(error).toBeInstanceOf(FrameFault)
        const { rpcCode, idText } = error as FrameFault // the line above says so
        expect([-32700, -32600, -32602]).toContain(rpcCode)
        if (idText !== undefined) expect(['string', 'number']).toContain(typeof JSON.parse(idText))
        // A fault of ours is never about text that is no JSON, and the other way round.
        if (rpcCode === -32602) expect(() => JSON.parse(text) as unknown).not.toThrow()
      }
    }
  }
})
