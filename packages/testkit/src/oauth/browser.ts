/** A page as somebody sees it. */
export interface Page {
  readonly status: number
  readonly url: string
  readonly headers: Headers
  readonly text: string
}

/**
 * Somebody with a browser: it has cookies, follows redirects, and fills in forms. It runs no scripts. Each port is a host of
 * its own, for tests that have several on one machine.
 */
export interface Browser {
  /** @param until a URL that begins like this is not asked: the page is that of its redirect */
  open(url: string, until?: string): Promise<Page>
  /**
   * Fills in a form of a page and sends it.
   * @param fields what is typed, and the button that is pressed
   * @param form which, counted from 0. Default the first
   */
  submit(page: Page, fields: Readonly<Record<string, string>>, options?: SubmitOptions): Promise<Page>
  /** Name and attributes of each cookie. */
  cookies(): readonly string[]
  forget(): void
}

export interface SubmitOptions {
  readonly form?: number
  readonly until?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** @param via asks in its place. Default `fetch` */
export function createBrowser(via: typeof fetch = fetch): Browser {
  const jar = new Map<
    string,
    { readonly value: string; readonly path: string; readonly host: string; readonly line: string }
  >()

  function keep(response: Response, host: string): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const at = pair.indexOf('=')
      const [name, value] = [pair.slice(0, at), pair.slice(at + 1)]
      const path = /; *path=([^;]*)/i.exec(line)?.[1] ?? '/'
      if (/max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(`${host} ${name}`)
      else jar.set(`${host} ${name}`, { value, path, host, line })
    }
  }

  async function ask(url: string, init: RequestInit, until: string | undefined): Promise<Page> {
    let [at, how] = [url, init]
    for (let hop = 0; hop < MAX_HOPS; hop++) {
      const { pathname, host } = new URL(at)
      const cookies = [...jar]
        .filter(([, cookie]) => cookie.host === host && pathname.startsWith(cookie.path))
        .map(([key, { value }]) => `${key.slice(host.length + 1)}=${value}`)
      const headers = {
        ...Object.fromEntries(new Headers(how.headers)),
        accept: 'text/html',
        cookie: cookies.join('; '),
      }
      const response = await via(at, { ...how, headers, redirect: 'manual' })
      keep(response, host)
      const location = response.headers.get('location')
      if (location === null || response.status < 300 || response.status > 399) {
        return { status: response.status, url: at, headers: response.headers, text: await response.text() }
      }
      at = new URL(location, at).href
      if (until !== undefined && at.startsWith(until)) {
        return { status: response.status, url: at, headers: response.headers, text: '' }
      }
      how = { method: 'GET' }
    }
    throw new Error('Sent round and round')
  }

  return {
    open: (url, until) => ask(url, { method: 'GET' }, until),
    submit(page, fields, { form = 0, until, headers = {} } = {}) {
      const [whole = '', action = ''] =
        [...page.text.matchAll(/<form method="post" action="([^"]*)">.*?<\/form>/gs)][form] ?? []
      if (whole === '') throw new Error(`There is no form on this page: ${page.text}`)
      const given = [...whole.matchAll(/<input[^>]* name="([^"]*)"(?: value="([^"]*)")?/g)].map(
        ([, name = '', value = '']) => [name, unquoted(value)],
      )
      const hidden = Object.fromEntries(given) as Record<string, string>
      return ask(
        new URL(unquoted(action), page.url).href,
        {
          method: 'POST',
          body: new URLSearchParams({ ...hidden, ...fields }).toString(),
          headers: {
            origin: new URL(page.url).origin,
            'content-type': 'application/x-www-form-urlencoded',
            ...headers,
          },
        },
        until,
      )
    },
    cookies: () => [...jar.values()].map(({ line }) => line),
    forget: () => jar.clear(),
  }
}

function unquoted(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
}

const MAX_HOPS = 20
