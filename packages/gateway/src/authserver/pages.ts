import { createHash } from 'node:crypto'
import { type Html, html } from './html.ts'

/** What people see who sign in: plain pages without scripts, that work for everybody. */

/** Who wants in, as it says of itself, and what of that is certain. */
export interface ShownClient {
  readonly name: string
  /** The host of the document by which it is known; undefined where it is known otherwise. */
  readonly host: string | undefined
  /** Where people are sent back to. */
  readonly redirectHost: string | undefined
  /** Whoever runs a program on the machine of that person can pretend to be it. */
  readonly isLocalOnly: boolean
}

interface Form {
  readonly action: string
  readonly csrf: string
}

export function loginPage(
  client: ShownClient,
  form: Form,
  { fault, name = '' }: { readonly fault?: string; readonly name?: string } = {},
): string {
  return page(
    'Sign in',
    html`<p><strong>${client.name}</strong> asks you to sign in${client.redirectHost === undefined ? '' : html`, and is told the outcome at <strong>${client.redirectHost}</strong>`}.</p>
${problem(fault)}
<form method="post" action="${form.action}">
${hidden(form)}
<label for="name">Name</label>
<input id="name" name="name" value="${name}" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="256">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="256">
<button>Sign in</button>
</form>`,
  )
}

export function upstreamPage(client: ShownClient, form: Form, provider: string, fault?: string): string {
  return page(
    'Sign in',
    html`${about(client)}
${problem(fault)}
<p>You sign in at <strong>${provider}</strong>, and are asked here afterwards what you allow.</p>
<form method="post" action="${form.action}">
${hidden(form)}
<button>Go on to ${provider}</button>
</form>`,
  )
}

export interface ConsentAsked {
  readonly client: ShownClient
  readonly person: string
  readonly scopes: readonly string[]
  readonly resources: readonly string[]
  /** Where somebody else may sign in; undefined where nobody can here. */
  readonly otherAction: string | undefined
}

export function consentPage(asked: ConsentAsked, form: Form): string {
  const { client, person, scopes, resources, otherAction } = asked
  return page(
    'Allow access',
    html`${about(client)}
<p>It may then act as <strong>${person}</strong> at:</p>
<ul>${resources.map((resource) => html`<li><code>${resource}</code></li>`)}</ul>
${scopes.length === 0 ? '' : html`<p>with these scopes:</p><ul>${scopes.map((scope) => html`<li><code>${scope}</code></li>`)}</ul>`}
<form method="post" action="${form.action}">
${hidden(form)}
<button name="answer" value="allow">Allow</button>
<button name="answer" value="deny" class="second">Do not allow</button>
</form>
${otherAction === undefined ? '' : html`<form method="post" action="${otherAction}">${hidden(form)}<button class="link">I am somebody else</button></form>`}`,
  )
}

export function codePage(form: Form, code: string, fault?: string): string {
  return page(
    'Connect a device',
    html`<p>Type the code that the program shows you. Go on only if you started it yourself.</p>
${problem(fault)}
<form method="post" action="${form.action}">
<input type="hidden" name="xsrf" value="${form.csrf}">
<label for="code">Code</label>
<input id="code" name="user_code" value="${code}" autocomplete="off" autocapitalize="characters" spellcheck="false" required maxlength="32">
<button>Go on</button>
</form>`,
  )
}

export function deviceConfirmPage(client: ShownClient, form: Form, code: string): string {
  return page(
    'Connect a device',
    html`<p><strong>${client.name}</strong> shows you this code:</p>
<p class="code">${code}</p>
<p>If you did not start it yourself, or it shows another code, do not go on: somebody else would be signed in as you.</p>
<form method="post" action="${form.action}">
<input type="hidden" name="xsrf" value="${form.csrf}">
<input type="hidden" name="user_code" value="${code}">
<button name="confirm" value="yes">It is this code</button>
<button name="abort" value="yes" class="second">Do not go on</button>
</form>`,
  )
}

export function messagePage(title: string, message: string): string {
  return page(title, html`<p>${message}</p>`)
}

function about(client: ShownClient): Html {
  return html`<p><strong>${client.name}</strong>${client.host === undefined ? '' : html` of <strong>${client.host}</strong>`} asks for access${client.redirectHost === undefined ? '' : html`. You are sent back to <strong>${client.redirectHost}</strong>`}.</p>
${client.host === undefined ? html`<p class="note">It chose this name itself.</p>` : ''}
${client.isLocalOnly ? html`<p class="note">It runs on your own machine, where any program could pretend to be it. Go on only if you started it yourself.</p>` : ''}`
}

function hidden({ csrf }: Form): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}">`
}

function problem(fault: string | undefined): Html {
  return fault === undefined ? html`` : html`<p class="fault" role="alert">${fault}</p>`
}

function page(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${{ html: STYLE }}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`.html
}

const STYLE = `
:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}
body{margin:0;padding:2rem 1rem;background:Canvas;color:CanvasText}
main{max-width:26rem;margin:0 auto;overflow-wrap:anywhere}
h1{font-size:1.5rem}
label{display:block;margin-top:1rem;font-weight:600}
input{box-sizing:border-box;width:100%;font:inherit;padding:.5rem;border:1px solid GrayText;border-radius:.25rem}
button{font:inherit;margin:1rem .5rem 0 0;padding:.5rem 1rem;border:1px solid #1d4ed8;border-radius:.25rem;background:#1d4ed8;color:#fff;cursor:pointer}
button.second,button.link{background:transparent;color:inherit;border-color:GrayText}
button.link{border:0;padding:0;text-decoration:underline}
.fault{border-left:.25rem solid #b91c1c;padding-left:.75rem}
.note{border-left:.25rem solid #b45309;padding-left:.75rem}
.code{font:600 1.75rem/1.5 ui-monospace,monospace;letter-spacing:.1em}
`

/**
 * Nothing is loaded from anywhere, nothing runs, and nobody shows these pages inside theirs.
 * @param targets where forms may lead, besides here: browsers apply it to redirects that follow
 */
export function pageHeaders(targets: readonly string[]): Readonly<Record<string, string>> {
  const forms = ["'self'", ...targets].join(' ')
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action ${forms}; frame-ancestors 'none'; base-uri 'none'`,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  }
}

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')
