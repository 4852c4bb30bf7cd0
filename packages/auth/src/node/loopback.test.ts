import { request } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import type { OpenRedirect } from '../grants/redirect.ts'
import { openInBrowser } from './browser.ts'
import { createLoopbackRedirect, type LoopbackOptions } from './loopback.ts'

const visits: OpenRedirect[] = []
afterEach(async () => {
  for (const visit of visits.splice(0)) await visit.close()
})

async function open(options: LoopbackOptions = {}, before?: string) {
  const visit = await createLoopbackRedirect({ open: () => {}, ...options }).open(before)
  visits.push(visit)
  return visit
}

const page = 'https://as.example.com/authorize?state=s1'
const authorize = (visit: OpenRedirect, signal = new AbortController().signal) => visit.authorize(page, signal)

describe('the page people come back to', () => {
  it('is on this machine, and takes the answer with our state', async () => {
    const visit = await open()
    expect(visit.uri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/)
    const back = authorize(visit)
    const response = await fetch(`${visit.uri}?code=c&state=s1`)
    expect([response.status, await response.text()]).toEqual([
      200,
      '<!doctype html><title>Sign-in</title><p>You are signed in. You can close this page.</p>',
    ])
    expect(response.headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'")
    expect(await back).toBe(`${visit.uri}?code=c&state=s1`)
  })

  it('abuse-33: what does not know our state, or asks under another name, is told nothing and ends nothing', async () => {
    const visit = await open()
    const back = authorize(visit)
    const statuses = [
      (await fetch(`${visit.uri}?code=evil&state=x`)).status,
      (await fetch(`${visit.uri}?code=evil`)).status,
      (await fetch(visit.uri.replace('/callback', '/other?state=s1'))).status,
      (await fetch(`${visit.uri}?code=evil&state=s1`, { method: 'POST' })).status,
      await statusOf(`${visit.uri}?code=evil&state=s1`, 'evil.example'),
    ]
    expect(statuses).toEqual([404, 404, 404, 404, 404])
    await fetch(`${visit.uri}?code=good&state=s1`)
    expect(await back).toContain('code=good')
  })

  it('says so when the person said no', async () => {
    const visit = await open()
    const back = authorize(visit)
    expect(await (await fetch(`${visit.uri}?error=access_denied&state=s1`)).text()).toContain('declined')
    expect(await back).toContain('error=access_denied')
  })

  it('is where it was the last time, where that is free', async () => {
    const first = await open()
    const second = await open({}, first.uri)
    expect(second.uri).not.toBe(first.uri)
    await first.close()
    expect((await open({}, first.uri)).uri).toBe(first.uri)
  })

  it('is where it has to be, or nowhere', async () => {
    const first = await open()
    const port = Number(new URL(first.uri).port)
    await expect(open({ port })).rejects.toThrow(`on port ${port}: it is taken`)
    expect((await open({ hostname: 'localhost' })).uri).toMatch(/^http:\/\/localhost:/)
  })

  it('is given up in time', async () => {
    const timeUp = new AbortController()
    const back = authorize(await open(), timeUp.signal)
    timeUp.abort()
    await expect(back).rejects.toThrow('Nobody signed in')
  })

  it('may be opened by hand where there is no browser', async () => {
    const shown: string[] = []
    const fail = () => Promise.reject(new Error('no browser'))
    await expect(authorize(await open({ open: fail }))).rejects.toThrow('no browser')
    const visit = await open({ open: fail, show: (url) => shown.push(url) })
    const back = authorize(visit)
    await fetch(`${visit.uri}?code=c&state=s1`)
    expect([await back, shown]).toEqual([`${visit.uri}?code=c&state=s1`, [page]])
  })
})

it.each(['javascript:alert(1)', 'file:///etc/passwd', 'vscode://x', '-a Calculator', '$(touch x)', ''])(
  'abuse-32: "%s" is not opened',
  async (url) => {
    await expect(openInBrowser(url)).rejects.toThrow('Cannot open a page that is not http or https')
  },
)

/** The status for a Host that `fetch` would not send. */
function statusOf(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
}
