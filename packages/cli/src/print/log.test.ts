import { expect, it } from 'vitest'
import { createPeopleLog } from './log.ts'
import { createStyle } from './style.ts'

function recorder() {
  const lines: string[] = []
  const noon = new Date(2026, 0, 1, 12, 34, 56)
  const log = createPeopleLog({ err: createStyle(false), tell: (line) => void lines.push(line) }, () => noon)
  log.setLevel('info')
  return { log, lines }
}

const down = (reason: string) => ({ upstream: 'files', state: 'backing-off', reason, remedy: 'Check it' })

it('tells in words when a server goes and comes back', () => {
  const { log, lines } = recorder()
  log.warn(down('It ended'), 'Upstream is in trouble')
  log.info({ upstream: 'files', state: 'ready', reason: undefined }, 'Upstream changed its state')
  expect(lines).toEqual(['12:34:56 warn  files is down: It ended (Check it)', '12:34:56 info  files is ready'])
})

it('keeps calls and what servers write for --verbose', () => {
  const { log, lines } = recorder()
  const chatter = () => {
    log.info({ upstream: 'files', stderr: 'Listening\u001b[2J' }, 'Upstream wrote to stderr')
    log.info({ method: 'tools/call', target: 'files__read' }, 'call')
  }
  chatter()
  expect(lines).toEqual([])
  log.setLevel('debug')
  chatter()
  expect(lines).toEqual([
    '12:34:56 info  Upstream wrote to stderr upstream=files stderr=Listening\\x1b[2J',
    '12:34:56 info  call method=tools/call target=files__read',
  ])
})

it('tells trouble once, also when only numbers in it differ, and when it was hushed before', () => {
  const { log, lines } = recorder()
  log.setLevel('error')
  log.warn(down('See /tmp/1.log'), 'Upstream is in trouble')
  log.setLevel('info')
  log.warn(down('See /tmp/2.log'), 'Upstream is in trouble')
  expect(lines).toEqual([])
  log.warn(down('Killed'), 'Upstream is in trouble')
  log.warn({ ...down('Killed'), upstream: 'other' }, 'Upstream is in trouble')
  expect(lines).toHaveLength(2)
})

it('tells warnings that are not about a server with all their details', () => {
  const { log, lines } = recorder()
  log.warn({ view: 'v', tools: ['a b'] }, 'A rename')
  expect(lines).toEqual(['12:34:56 warn  A rename view=v tools="[\\"a b\\"]"'])
})
