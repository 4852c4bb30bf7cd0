import { expect, test } from 'vitest'
import { childEnvironment } from './child-environment.ts'

const own = {
  PATH: '/bin',
  HOME: '/home/me',
  LC_ALL: 'C',
  LC_TIME: 'C',
  AWS_SECRET_ACCESS_KEY: 'secret',
  NODE_OPTIONS: '--inspect',
  CROSSPOINT_LISTEN_PORT: '1',
  EXTRA: 'extra',
  TERM: undefined,
}

test('a child inherits what finds programs, a home and a language, and nothing else', () => {
  expect(childEnvironment({ env: {}, inheritEnv: [] }, own)).toEqual({
    PATH: '/bin',
    HOME: '/home/me',
    LC_ALL: 'C',
    LC_TIME: 'C',
  })
})

test('named variables are inherited too, and env wins over everything inherited', () => {
  const transport = { env: { PATH: '/mine', TOKEN: 'x' }, inheritEnv: ['EXTRA', 'ABSENT'] }
  expect(childEnvironment(transport, own)).toMatchObject({ PATH: '/mine', TOKEN: 'x', EXTRA: 'extra' })
  expect(childEnvironment(transport, own)).not.toHaveProperty('ABSENT')
})

test('a shell function in the environment is not passed on', () => {
  expect(childEnvironment({ env: {}, inheritEnv: ['F'] }, { F: '() { :; }; echo hacked', TERM: '()' })).toEqual({})
})

test('names have no case on Windows, and no variable is there twice', () => {
  const environment = childEnvironment(
    { env: { PATH: 'C:\\mine' }, inheritEnv: ['extra'] },
    { Path: 'C:\\bin', SystemRoot: 'C:\\Windows', EXTRA: 'x', LC_ALL: 'C', Secret: 's' },
    true,
  )
  expect(environment).toEqual({ PATH: 'C:\\mine', SystemRoot: 'C:\\Windows', EXTRA: 'x' })
})
