import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CallVoice, ListenVoice } from './voice.ts'

const progress = (value: unknown) => ({ method: 'notifications/progress', params: { progress: value } })

describe('CallVoice', () => {
  it('trap-49: lets progress through only while it increases', () => {
    fc.assert(
      fc.property(fc.array(fc.double()), (values) => {
        const voice = new CallVoice('t', undefined)
        const said = values.map((value) => voice.toParams(progress(value))).filter((params) => params !== undefined)
        const numbers = said.map((params) => Number(params.progress))
        for (const [i, number] of numbers.entries()) {
          expect(Number.isFinite(number)).toBe(true)
          if (i > 0) expect(number).toBeGreaterThan(numbers[i - 1] ?? Number.NaN)
        }
      }),
    )
  })

  it.each([7, 'seven', 0, ''])('puts the token %j in front of what the handler said', (token) => {
    expect(new CallVoice(token, undefined).toParams(progress(0))).toEqual({ progressToken: token, progress: 0 })
  })

  it("does not let a handler's own token through", () => {
    const params = { progress: 1, progressToken: 'upstream' }
    expect(new CallVoice('mine', undefined).toParams({ method: 'notifications/progress', params })).toEqual({
      progressToken: 'mine',
      progress: 1,
    })
  })
})

describe('ListenVoice', () => {
  const acknowledge = (notifications: object) => ({
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications },
  })

  it('trap-19: honours no more than was asked for', () => {
    const voice = new ListenVoice(1, {
      toolsListChanged: true,
      promptsListChanged: false,
      resourceSubscriptions: ['a', 'b'],
    })
    const granted = {
      toolsListChanged: true,
      promptsListChanged: true,
      resourcesListChanged: true,
      resourceSubscriptions: ['b', 'c'],
    }
    expect(voice.toParams(acknowledge(granted))?.notifications).toEqual({
      toolsListChanged: true,
      resourceSubscriptions: ['b'],
    })
  })

  it('trap-19: acknowledges once, and says nothing before', () => {
    const voice = new ListenVoice('L', { toolsListChanged: true })
    const changed = { method: 'notifications/tools/list_changed', params: {} }
    expect(voice.toParams(changed)).toBeUndefined()
    expect(voice.toParams(acknowledge({ toolsListChanged: true }))).toBeDefined()
    expect(voice.toParams(acknowledge({ toolsListChanged: true }))).toBeUndefined()
    expect(voice.toParams(changed)).toEqual({ _meta: { 'io.modelcontextprotocol/subscriptionId': 'L' } })
  })

  it('trap-19: replaces the id of another hop and keeps other meta', () => {
    const voice = new ListenVoice('mine', { toolsListChanged: true })
    voice.toParams(acknowledge({ toolsListChanged: true }))
    const params = { _meta: { 'io.modelcontextprotocol/subscriptionId': 'theirs', own: 1 } }
    expect(voice.toParams({ method: 'notifications/tools/list_changed', params })?._meta).toEqual({
      'io.modelcontextprotocol/subscriptionId': 'mine',
      own: 1,
    })
  })

  it('hears of updates only when some resource is watched', () => {
    const updated = { method: 'notifications/resources/updated', params: { uri: 'a/part' } }
    const watching = new ListenVoice(1, { resourceSubscriptions: ['a'] })
    watching.toParams(acknowledge({ resourceSubscriptions: ['a'] }))
    expect(watching.toParams(updated)).toMatchObject({ uri: 'a/part' })
    const refused = new ListenVoice(1, { resourceSubscriptions: ['a'] })
    refused.toParams(acknowledge({ resourceSubscriptions: [] }))
    expect(refused.toParams(updated)).toBeUndefined()
  })
})
