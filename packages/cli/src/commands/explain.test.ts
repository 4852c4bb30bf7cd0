import { describe, expect, it } from 'vitest'
import { run } from '../../fixtures/crosspoint.ts'
import { createWorkspace, EVERYTHING } from '../../fixtures/workspace.ts'

interface Explained {
  readonly tools: readonly { readonly native: string; readonly name?: string; readonly notes: readonly string[] }[]
  readonly features: readonly { readonly feature: string; readonly fares: string }[]
}

function setUp() {
  const workspace = createWorkspace()
  const everything = { command: process.execPath, args: EVERYTHING, prefix: 'all', tools: { exclude: ['get-env'] } }
  workspace.write('crosspoint.json', { servers: { everything } })
  return workspace
}

describe('explain', () => {
  it('tells tool by tool what a client of a revision sees, and why something is missing', async () => {
    const { options, left } = setUp()
    const words = ['explain', '--client-revision', '2025-03-26', 'everything', '--json']
    const { code, stdout, stderr } = await run(words, options)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const explained = JSON.parse(stdout) as Explained
    expect(explained).toMatchObject({ clientRevision: '2025-03-26', server: 'everything' })
    const byName = new Map(explained.tools.map((tool) => [tool.native, tool]))
    expect(byName.get('echo')).toEqual({ native: 'echo', name: 'all__echo', notes: [] })
    expect(byName.get('get-env')?.notes[0]).toMatch(/^missing: "tools" of the server "everything"/)
    expect(byName.get('get-structured-content')?.notes[0]).toMatch(/"outputSchema".* which 2025-03-26 does not have/)
    expect(byName.get('trigger-sampling-request')?.notes).toEqual([
      'works only for clients that declare what it asks of them',
    ])
    expect(explained.features).toContainEqual(expect.objectContaining({ feature: 'forms', fares: 'no' }))
    expect(left()).toEqual([])
  })

  it('reads like a table to people, and takes the newest revision by default', async () => {
    const { options } = setUp()
    const { stdout } = await run(['explain', 'everything'], options)
    expect(stdout).toMatch(/^server "everything" speaks \S+; clients of 2026-07-28 see it so\n\nTools: \d+ of \d+\n/)
    expect(stdout).toMatch(/^ {2}all__echo +as it is$/m)
    expect(stdout).toMatch(/^ {2}forms +carried +asked by the result of the call/m)
  })

  it.each([
    [['explain'], 'No server is named'],
    [['explain', 'everything', '--client-revision', '2027-01-01'], 'No protocol revision "2027-01-01"'],
    [['explain', 'everythin'], 'No server "everythin"'],
  ])('crosspoint %s is refused with what would help', async (words, message) => {
    const { options } = setUp()
    const { code, stderr } = await run(words, options)
    expect(code).not.toBe(0)
    expect(stderr).toContain(message)
  })
})
