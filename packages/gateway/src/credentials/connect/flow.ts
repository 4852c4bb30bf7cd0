import type { Redirect } from '@crosspoint/auth'
import { createSignIn, type SignedInNeeds, type SignInPlace } from '../signed-in.ts'
import type { Link } from './links.ts'
import { LINK_MS } from './links.ts'

/** One sign-in: begun when its page is first looked at, so that the page can say where it leads. */
export class Flow {
  readonly link: Link
  /** Where the browser goes to sign in; undefined where nobody needs to: what is kept was good, or could be renewed. */
  readonly ready: Promise<string | undefined>
  /** Whether there is a credential in the end. */
  readonly done: Promise<boolean>
  /** The one browser that goes on with it; undefined until one does. */
  browser: string | undefined
  #back: ((url: string) => void) | undefined
  #giveUp: ((error: Error) => void) | undefined
  #state: string | undefined

  constructor(link: Link, place: SignInPlace, callback: string, needs: SignedInNeeds) {
    this.link = link
    let tell: (url: string | undefined) => void = () => {}
    const asked = new Promise<string | undefined>((resolve) => {
      tell = resolve
    })
    const redirect: Redirect = {
      open: () => ({
        uri: callback,
        authorize: (url, signal) =>
          new Promise((resolve, reject) => {
            this.#back = resolve
            this.#giveUp = reject
            signal.addEventListener('abort', () => reject(new Error('Nobody came back')), { once: true })
            this.#state = new URL(url).searchParams.get('state') ?? undefined
            tell(checkPage(url))
          }),
        close: () => {},
      }),
    }
    this.done = signIn(link, place, redirect, needs)
    // Told to whoever asks for them, and nobody may be waiting.
    this.done.catch(() => {})
    this.ready = Promise.race([asked, this.done.then(() => undefined)])
    this.ready.catch(() => {})
  }

  /** By which the browser that comes back is known. */
  get state(): string | undefined {
    return this.#state
  }

  /** The browser came back, with this address. */
  return(url: string): void {
    this.#back?.(url)
    this.#back = undefined
  }

  end(): void {
    this.#giveUp?.(new Error('Given up'))
  }
}

/**
 * Signs an owner in, with what is kept, or, where that will not do, as `redirect` has it.
 * @returns whether there is a credential in the end
 */
export async function signIn(
  { owner, missing }: Pick<Link, 'owner' | 'missing'>,
  place: SignInPlace,
  redirect: Redirect,
  needs: SignedInNeeds,
): Promise<boolean> {
  const authorization = await createSignIn(place, owner, redirect, needs, LINK_MS)
  const url = new URL(place.url).href
  const request = { method: 'POST', url, server: url, inBackground: false }
  const sent = await authorization.headers(request)
  const { status, challenge } =
    sent.length === 0 ? { status: 401, challenge: missing?.challenge } : (missing ?? UNKNOWN)
  const refusal = { request, status, sent, refusals: 0, ...(challenge === undefined ? {} : { challenge }) }
  await authorization.refused(refusal)
  return (await authorization.headers(request)).length > 0
}

const UNKNOWN = { status: 401, challenge: undefined }

/** @throws for what no browser should be sent to (abuse-32) */
function checkPage(text: string): string {
  const { protocol, hostname } = new URL(text)
  if (protocol === 'https:' || (protocol === 'http:' && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname))) {
    return text
  }
  throw new Error('The page to sign in at is none that is opened')
}
