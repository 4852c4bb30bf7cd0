import { describe, expect, it } from 'vitest'
import { isArgument, readArguments, readTextArguments } from './arguments.ts'

const files: Record<string, string> = {
  'args.json': '{"message":"from file","count":1}',
  'list.json': '[1,2]',
  'bad.json': '{"a":',
  'bom.json': '\uFEFF{"a":1}',
  '-': '{"message":"from stdin"}',
}
const read = async (source: string): Promise<string> => {
  const text = files[source]
  if (text === undefined) throw new Error(`unexpected ${source}`)
  return text
}

describe('the arguments of a call', () => {
  it('takes key=text as text, whatever it looks like', async () => {
    expect(await readArguments(['a=1', 'b=true', 'c=', 'd=x=y', 'e=-'], read)).toEqual({
      a: '1',
      b: 'true',
      c: '',
      d: 'x=y',
      e: '-',
    })
  })

  it('takes key:=json as the value it is', async () => {
    expect(await readArguments(['a:=1', 'b:=true', 'c:=null', 'd:={"x":[1,"="]}', 'e:="1"'], read)).toEqual({
      a: 1,
      b: true,
      c: null,
      d: { x: [1, '='] },
      e: '1',
    })
  })

  it('keeps a colon that is not before the first equals sign', async () => {
    expect(await readArguments(['a:b=c', 'url=http://x:=1'], read)).toEqual({ 'a:b': 'c', url: 'http://x:=1' })
  })

  it('takes a whole object from a file or from standard input', async () => {
    expect(await readArguments(['@args.json'], read)).toEqual({ message: 'from file', count: 1 })
    expect(await readArguments(['-'], read)).toEqual({ message: 'from stdin' })
    expect(await readArguments(['@bom.json'], read)).toEqual({ a: 1 })
  })

  it('lets a key on the command line override an object, wherever the two stand', async () => {
    const expected = { message: 'mine', count: 1 }
    expect(await readArguments(['message=mine', '@args.json'], read)).toEqual(expected)
    expect(await readArguments(['@args.json', 'message=mine'], read)).toEqual(expected)
  })

  it('keeps a key named __proto__ as a key and nothing more', async () => {
    const value = await readArguments(['__proto__:={"polluted":true}'], read)
    expect(Object.keys(value)).toEqual(['__proto__'])
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    expect(JSON.stringify(value)).toBe('{"__proto__":{"polluted":true}}')
  })

  it.each([
    [['a=1', 'a=2'], 'The argument "a" is given twice'],
    [['a=1', 'a:=2'], 'The argument "a" is given twice'],
    [['a:={'], 'Cannot read the argument "a" as JSON'],
    [['a:='], 'Cannot read the argument "a" as JSON'],
    [['=x'], 'Cannot read the argument "=x"'],
    [[':=1'], 'it has no key'],
    [['word'], 'Cannot read the argument "word"'],
    [['@'], 'Cannot read the argument "@"'],
    [['@list.json'], 'Cannot take arguments from list.json: it holds no JSON object'],
    [['@bad.json'], 'Cannot read bad.json as JSON'],
  ])('refuses %j', async (words, message) => {
    await expect(readArguments(words, read)).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringContaining(message),
    })
  })

  it('abuse-12: refuses a number that could not be sent unchanged, and no other', async () => {
    for (const number of ['12345678901234567890', '1e400', '{"deep":[9007199254740993]}']) {
      await expect(readArguments([`n:=${number}`], read)).rejects.toMatchObject({ kind: 'usage' })
    }
    const fine = ['n:=9007199254740991', 'f:=6.02e23', 's:="12345678901234567890"', 'e:=1.5e-7']
    expect(await readArguments(fine, read)).toEqual({
      n: 9007199254740991,
      f: 6.02e23,
      s: '12345678901234567890',
      e: 1.5e-7,
    })
  })
})

describe('the arguments of a prompt', () => {
  it('are text, and anything else is refused with the way to write it', async () => {
    expect(await readTextArguments(['city=Paris', 'n:="1"'], read)).toEqual({ city: 'Paris', n: '1' })
    await expect(readTextArguments(['n:=1'], read)).rejects.toMatchObject({ kind: 'usage', hint: 'Write n=text' })
  })
})

it('tells arguments from names', () => {
  expect(['a=1', 'a:=1', '@file', '-'].every(isArgument)).toBe(true)
  expect(['echo', 'everything__echo', '=x', 'https'].some(isArgument)).toBe(false)
})
