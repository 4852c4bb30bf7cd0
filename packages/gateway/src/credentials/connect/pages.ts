/** An answer to a browser. */
export interface PageReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A page of text: no script, in no frame, kept by nobody. */
export function toPage(status: number, title: string, parts: readonly string[], formTargets = "'self'"): PageReply {
  const body = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${toHtml(title)}</title></head><body><main><h1>${toHtml(title)}</h1>${parts.join('')}</main></body></html>`
  return {
    status,
    headers: {
      ...COMMON_HEADERS,
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action ${formTargets}`,
    },
    body,
  }
}

export function toRedirect(url: string, headers: Readonly<Record<string, string>>): PageReply {
  return { status: 303, headers: { ...COMMON_HEADERS, ...headers, location: url }, body: '' }
}

export function toJsonReply(body: object): PageReply {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'max-age=300' },
    body: JSON.stringify(body),
  }
}

export function paragraph(text: string): string {
  return `<p>${toHtml(text)}</p>`
}

export function facts(pairs: readonly (readonly [name: string, value: string])[]): string {
  return `<dl>${pairs.map(([name, value]) => `<dt>${toHtml(name)}</dt><dd><strong>${toHtml(value)}</strong></dd>`).join('')}</dl>`
}

export function form(hidden: Readonly<Record<string, string>>, button: string): string {
  const fields = Object.entries(hidden).map(
    ([name, value]) => `<input type="hidden" name="${toHtml(name)}" value="${toHtml(value)}">`,
  )
  return `<form method="post">${fields.join('')}<button type="submit">${toHtml(button)}</button></form>`
}

/** As text in HTML, in attributes too; what would turn the direction of what follows is left out. */
function toHtml(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\ufffd')
    .replaceAll(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`)
}

const COMMON_HEADERS = {
  'cache-control': 'no-store',
  // Nothing of a link goes elsewhere; a form of ours says that it is ours.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
}
