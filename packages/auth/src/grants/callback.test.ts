import { expect, it } from 'vitest'
import { parseCallback } from './callback.ts'

const issuer = 'https://as.example.com'
const silent = { issuer, namesItself: false }
const named = { issuer, namesItself: true }
const read = (query: string, server = silent) => parseCallback(`http://127.0.0.1/cb?${query}`, 's', server)

it.each([
  ['named and given', named, `iss=${issuer}`],
  ['not named and given', silent, `iss=${issuer}`],
  ['not named and not given', silent, ''],
])('trap-46: takes an answer of a server that is %s', (_, server, iss) => {
  expect(read(`code=c&state=s&${iss}`, server)).toBe('c')
})

it.each([
  ['named and not given', named, ''],
  ['named and another', named, 'iss=https://evil.example'],
  ['not named and another', silent, 'iss=https://evil.example'],
  ['the same but for a slash', silent, `iss=${issuer}/`],
  ['the same but for its case', silent, 'iss=https://AS.example.com'],
  ['given twice', silent, `iss=${issuer}&iss=https://evil.example`],
])('trap-46: refuses an answer whose issuer is %s, and does not repeat what it says', (_, server, iss) => {
  expect(() => read(`error=evil_words&state=s&${iss}`, server)).toThrow(
    'Cannot sign in: the answer is not from the server that was asked',
  )
})

it.each(['code=c', 'code=c&state=x', 'code=c&state=s&state=s', 'error=access_denied'])(
  'abuse-33: refuses an answer that is not to our question: %s',
  (query) => expect(() => read(query)).toThrow('the answer is to somebody else’s question'),
)

it.each(['state=s', 'state=s&code=', 'state=s&code=a&code=b', 'state=s&code=a%0Ab'])('finds no code in %s', (query) => {
  expect(() => read(query)).toThrow('there is no code in it')
})

it('tells the word of a refusal, and nothing else of it', () => {
  expect(() => read('state=s&error=access_denied&error_description=words')).toThrow(
    `Sign-in at "${issuer}" was declined`,
  )
  expect(() => read('state=s&error=server_error')).toThrow('refuses to sign anybody in: "server_error"')
  expect(() => read('state=s&error=%1b%5B31m')).toThrow('refuses to sign anybody in: it does not say why')
})

it('what is no URL is no answer', () => {
  expect(() => parseCallback('code=c&state=s', 's', silent)).toThrow()
})
