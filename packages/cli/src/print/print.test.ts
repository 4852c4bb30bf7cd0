import { describe, expect, it } from 'vitest'
import { CliError } from '../exit.ts'
import { describeContent, describePrompt, describeResource, describeToolResult } from './contents.ts'
import { createStyle, wantsColor } from './style.ts'
import { textWidth, toTable } from './table.ts'
import { createTerminal, type TerminalOptions } from './terminal.ts'

function recorder(options: Partial<TerminalOptions> & { isTTY?: boolean; columns?: number } = {}) {
  const written = { out: '', err: '' }
  const stream = (key: 'out' | 'err') => ({
    isTTY: options.isTTY ?? false,
    columns: options.columns ?? 80,
    write: (text: string | Uint8Array, done?: () => void) => {
      written[key] += typeof text === 'string' ? text : Buffer.from(text).toString('latin1')
      done?.()
      return true
    },
  })
  return { terminal: createTerminal({ stdout: stream('out'), stderr: stream('err'), env: {}, ...options }), written }
}

describe('colour', () => {
  it.each([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
    [{ TERM: 'dumb' }, true, false],
  ])('with %j on a terminal (%s) is %s', (env, isTerminal, colored) => {
    expect(wantsColor(env, isTerminal)).toBe(colored)
  })

  it('paints nothing when off', () => {
    expect(createStyle(false).red('x')).toBe('x')
    expect(createStyle(true).red('x')).toBe('\u001b[31mx\u001b[39m')
  })
})

describe('a table', () => {
  it('aligns columns, wide letters and painted cells included', () => {
    const paint = createStyle(true).green
    expect(
      toTable(
        [
          ['a', '日本', 'x'],
          [{ text: 'long', paint }, 'b', 'y'],
        ],
        undefined,
      ),
    ).toBe('a     日本  x\n\u001b[32mlong\u001b[39m  b     y')
    expect(textWidth('日本')).toBe(4)
    expect(textWidth('e\u0301')).toBe(1)
  })

  it('cuts at the edge of a screen and nowhere else', () => {
    const row = [['name', 'd'.repeat(100)]]
    expect(toTable(row, 20)).toBe(`name  ${'d'.repeat(13)}…`)
    expect(toTable(row, undefined)).toBe(`name  ${'d'.repeat(100)}`)
  })

  it('shows what a peer hides in a cell', () => {
    expect(toTable([['a\u001b[2Jb\nc', 'd']], undefined)).toBe('a\\x1b[2Jb\\nc  d')
  })
})

describe('a terminal', () => {
  it('puts data on standard output and everything else on standard error', () => {
    const { terminal, written } = recorder()
    terminal.data('found')
    terminal.say('looking')
    terminal.detail('more')
    expect(written).toEqual({ out: 'found\n', err: 'looking\n' })
  })

  it('says nothing but errors when quiet, and more when verbose', () => {
    const quiet = recorder({ quiet: true })
    quiet.terminal.say('looking')
    quiet.terminal.fail(new CliError('usage', 'Cannot', { cause: new Error('deep') }))
    expect(quiet.written.err).toBe('crosspoint: Cannot\n')
    const verbose = recorder({ verbose: true })
    verbose.terminal.detail('more')
    verbose.terminal.fail(new CliError('usage', 'Cannot', { cause: new Error('deep') }))
    expect(verbose.written.err).toContain('more\n')
    expect(verbose.written.err).toContain('because: Error: deep')
  })

  it('keeps chatter away from programs', () => {
    const { terminal, written } = recorder({ json: true })
    terminal.say('looking')
    expect(written).toEqual({ out: '', err: '' })
  })

  it('writes a value on one line for a program and indented for a reader', () => {
    const piped = recorder({ json: true })
    piped.terminal.value({ a: [1] })
    expect(piped.written.out).toBe('{"a":[1]}\n')
    const shown = recorder({ json: true, isTTY: true })
    shown.terminal.value({ a: 1 })
    expect(shown.written.out).toBe('{\n  "a": 1\n}\n')
  })

  it('writes an error as one line of JSON where JSON was asked for', () => {
    const { terminal, written } = recorder({ json: true, isTTY: true })
    terminal.fail(
      new CliError('unreachable', 'Cannot reach "x"\nat all', { hint: 'Start it', code: 'upstream.closed' }),
    )
    expect(written.err.trimEnd().split('\n')).toHaveLength(1)
    expect(JSON.parse(written.err)).toEqual({
      error: {
        kind: 'unreachable',
        exitCode: 4,
        message: 'Cannot reach "x"\nat all',
        code: 'upstream.closed',
        hint: 'Start it',
      },
    })
  })

  it('shows what a peer hides in an error', () => {
    const { terminal, written } = recorder()
    terminal.fail(new CliError('refused', 'No \u001b[2J'))
    expect(written.err).toBe('crosspoint: No \\x1b[2J\n')
  })
})

describe('contents', () => {
  it('shows text as text and says what everything else is', () => {
    expect(
      describeContent([
        { type: 'text', text: 'a\u001b[1mb\nc' },
        { type: 'image', data: 'AAAA', mimeType: 'image/png' },
        { type: 'resource', resource: { uri: 'x:1', text: 'inside' } },
        { type: 'resource', resource: { uri: 'x:2', blob: 'AAAA'.repeat(1000) } },
        { type: 'resource_link', uri: 'x:3', name: 'three' },
      ]),
    ).toBe(
      'a\\x1b[1mb\nc\n[image image/png, 3 B]\ninside\n' +
        '[x:2 application/octet-stream, 2.9 KiB; --raw writes the bytes]\n[resource x:3 three]',
    )
  })

  it('shows a kind of content it does not know', () => {
    const unknown = { type: 'hologram', depth: 3 } as never // of a revision to come
    expect(describeContent([unknown])).toBe('[hologram] {"type":"hologram","depth":3}')
  })

  it('falls back on structured content, null included', () => {
    expect(describeToolResult({ content: [], structuredContent: { a: 1 } })).toBe('{\n  "a": 1\n}')
    expect(describeToolResult({ content: [], structuredContent: null })).toBe('null')
    expect(describeToolResult({ content: [] })).toBe('(no content)')
    expect(describeToolResult({ content: [{ type: 'text', text: 'x' }], structuredContent: 1 })).toBe('x')
  })

  it('shows prompts with who speaks and resources with their text', () => {
    expect(describePrompt([{ role: 'user', content: { type: 'text', text: 'hi' } }])).toBe('user: hi')
    expect(
      describeResource([
        { uri: 'a:', text: 'one' },
        { uri: 'b:', text: 'two' },
      ]),
    ).toBe('one\ntwo')
  })
})
