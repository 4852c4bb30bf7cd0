import { expect, test } from 'vitest'
import { takeQuestionKey, withQuestionKey } from './question-key.ts'

const FORM = { method: 'elicitation/create', params: { message: 'Who?' } }

test('a question keeps its key on the way, beside what else it says of itself', () => {
  for (const request of [FORM, { ...FORM, params: { ...FORM.params, _meta: { a: 1 } } }]) {
    const named = withQuestionKey(request, 'user_name')
    expect(named.params).toMatchObject(request.params)
    expect(takeQuestionKey(named)).toEqual(['user_name', request])
  }
})

test('a key is data, whatever it is called', () => {
  const [key] = takeQuestionKey(withQuestionKey(FORM, '__proto__'))
  expect(key).toBe('__proto__')
})

test.each([undefined, null, 5, '', {}, 'x'.repeat(129)])('a key that is none is taken off and not used: %j', (key) => {
  const named = { ...FORM, params: { ...FORM.params, _meta: { 'crosspoint/questionKey': key } } }
  expect(takeQuestionKey(named)).toEqual([undefined, FORM])
})

test.each([undefined, null, 5, [], { a: 1 }])('a question without a key stays as it is: %j', (_meta) => {
  const request = { ...FORM, params: { ...FORM.params, _meta } }
  expect(takeQuestionKey(request)).toEqual([undefined, request])
})
