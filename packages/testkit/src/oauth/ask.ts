import type { Authorization, AuthorizedRequest } from '@crosspoint/auth'

/** One request as the engine makes it: with credentials, and again while the authorization can mend a refusal. */
export async function ask(authorization: Authorization, url: string, about: Partial<AuthorizedRequest> = {}) {
  const request = { method: 'POST', url, server: url, inBackground: false, ...about }
  for (let refusals = 0; ; refusals++) {
    const sent = await authorization.headers(request)
    const pairs = sent.flatMap((name, at) => (at % 2 === 0 ? [[name, sent[at + 1] ?? ''] as const] : []))
    const response = await fetch(url, { method: request.method, headers: Object.fromEntries(pairs) })
    const { status, headers } = response
    const nonce = headers.get('dpop-nonce')
    if (nonce !== null) authorization.nonce(nonce, request)
    const text = await response.text()
    const challenge = headers.get('www-authenticate')
    const refusal = { request, status, sent, refusals, ...(challenge === null ? {} : { challenge }) }
    const isOver = (status !== 401 && status !== 403) || refusals >= MAX_REFUSALS
    if (isOver || !(await authorization.refused(refusal))) return { status, text, sent }
  }
}

/** As in the engine. */
const MAX_REFUSALS = 4
