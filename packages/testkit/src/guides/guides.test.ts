import { afterAll, describe, expect, it } from 'vitest'
import { layOut, readGuide, runLine } from './guide.ts'

/** Guides whose programs stand by themselves: each is written to one folder, and what its consoles say is done there. */
const GUIDES = ['asking', 'serving']

describe.each(GUIDES)('the guide docs/guides/%s.md', (name) => {
  const { files, commands, unnamed } = readGuide(`docs/guides/${name}.md`)
  const { folder, remove } = layOut(files)
  afterAll(remove)

  it.each(commands)('shows what is printed by: %s', async (line, output) => {
    expect(await runLine(line, folder)).toEqual({ code: 0, output })
  })

  it('shows no program that is not run', () => {
    const run = commands.map(([line]) => line).join('\n')
    const isUsed = (file: string) =>
      run.includes(file) || [...files.values()].some((text) => text.includes(`./${file}`))
    expect([...files.keys()].filter((file) => !isUsed(file))).toEqual([])
    expect(unnamed).toEqual([])
  })
})
