import { describe, expect, it } from 'vitest'
import { splitArgv } from './argv.ts'
import { parseListing } from './listing.ts'
import { parseAddressed, parseTarget, RESOURCE } from './target.ts'

const usage = (message: string) => expect.objectContaining({ kind: 'usage', message: expect.stringContaining(message) })

describe('the words after --', () => {
  it('are the child command, whatever stands before and whatever they look like', () => {
    expect(splitArgv(['call', 'echo', '--', 'npx', '-y', 'x', '--', '--json'])).toEqual({
      own: ['call', 'echo'],
      child: ['npx', '-y', 'x', '--', '--json'],
    })
    expect(splitArgv(['ls', '--json'])).toEqual({ own: ['ls', '--json'], child: undefined })
    expect(splitArgv(['ls', '--'])).toEqual({ own: ['ls'], child: [] })
  })
})

describe('[target] <tool> [arguments]', () => {
  it('reads one word as a tool of everything configured', () => {
    expect(parseAddressed(['a__echo', 'message=hi'], undefined, 'tool')).toEqual({
      target: { kind: 'merged' },
      name: 'a__echo',
      rest: ['message=hi'],
    })
  })

  it('reads two words as a configured server and its tool', () => {
    expect(parseAddressed(['everything', 'echo', '-'], undefined, 'tool')).toEqual({
      target: { kind: 'server', name: 'everything' },
      name: 'echo',
      rest: ['-'],
    })
  })

  it('reads a URL as the target although it holds an equals sign', () => {
    expect(parseAddressed(['http://h/mcp?key=1', 'echo', 'a=b'], undefined, 'tool')).toEqual({
      target: { kind: 'url', url: 'http://h/mcp?key=1' },
      name: 'echo',
      rest: ['a=b'],
    })
  })

  it('reads the address of a socket as the target', () => {
    expect(parseAddressed(['unix:/run/x.sock', 'echo', 'a=b'], undefined, 'tool').target).toEqual({
      kind: 'url',
      url: 'unix:/run/x.sock',
    })
  })

  it('reads the words after -- as the target', () => {
    expect(parseAddressed(['echo', 'a=b'], ['npx', '-y', 'x'], 'tool')).toEqual({
      target: { kind: 'command', command: 'npx', args: ['-y', 'x'] },
      name: 'echo',
      rest: ['a=b'],
    })
  })

  it('never drops a target: two of them are an error', () => {
    expect(() => parseAddressed(['everything', 'echo'], ['npx'], 'tool')).toThrow(usage('Two targets are named'))
    expect(() => parseTarget(['http://h/mcp'], ['npx'])).toThrow(usage('Two targets are named'))
    expect(() => parseTarget(['a', 'b'], undefined)).toThrow(usage('one target is enough'))
  })

  it('says what is missing', () => {
    expect(() => parseAddressed([], undefined, 'tool')).toThrow(usage('No tool is named'))
    expect(() => parseAddressed(['a=b'], ['npx'], 'tool')).toThrow(usage('No tool is named'))
    expect(() => parseAddressed(['http://h/mcp'], undefined, 'tool')).toThrow(usage('name one tool of it as well'))
    expect(() => parseAddressed(['echo'], [], 'tool')).toThrow(usage('Nothing follows "--"'))
  })

  it('says how to write an argument when a third word is none', () => {
    expect(() => parseAddressed(['everything', 'echo', 'hi'], undefined, 'tool')).toThrow(
      usage('Cannot read the argument "hi"'),
    )
  })
})

describe('[target] <uri>', () => {
  it('reads a lone http URI as the resource, and two as server and resource', () => {
    expect(parseAddressed(['http://x/page?a=b'], undefined, RESOURCE)).toMatchObject({
      target: { kind: 'merged' },
      name: 'http://x/page?a=b',
    })
    expect(parseAddressed(['http://h/mcp', 'http://x/page'], undefined, RESOURCE)).toMatchObject({
      target: { kind: 'url', url: 'http://h/mcp' },
      name: 'http://x/page',
    })
    expect(parseAddressed(['demo://a?x=y'], ['node', 's.js'], RESOURCE)).toMatchObject({
      target: { kind: 'command' },
      name: 'demo://a?x=y',
    })
  })

  it('takes one URI at a time', () => {
    expect(() => parseAddressed(['a', 'b', 'c'], undefined, RESOURCE)).toThrow(usage('one resource URI at a time'))
  })
})

describe('[kind] [target]', () => {
  it('lists servers unless told otherwise', () => {
    expect(parseListing([], undefined)).toEqual({ kind: 'servers', target: { kind: 'merged' } })
    expect(parseListing(['tools'], undefined)).toEqual({ kind: 'tools', target: { kind: 'merged' } })
    expect(parseListing(['prompt', 'everything'], undefined)).toEqual({
      kind: 'prompts',
      target: { kind: 'server', name: 'everything' },
    })
  })

  it('takes a first word that is no kind as the target', () => {
    expect(parseListing(['http://h/mcp'], undefined)).toEqual({
      kind: 'servers',
      target: { kind: 'url', url: 'http://h/mcp' },
    })
    expect(parseListing(['everything'], undefined)).toEqual({
      kind: 'servers',
      target: { kind: 'server', name: 'everything' },
    })
  })

  it('takes a command after --', () => {
    expect(parseListing(['resources'], ['node', 's.js'])).toEqual({
      kind: 'resources',
      target: { kind: 'command', command: 'node', args: ['s.js'] },
    })
  })
})
