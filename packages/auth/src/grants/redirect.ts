import { AuthError } from '../errors.ts'

/** How a person gets to the page of an authorization server, and back to us. */
export interface Redirect {
  /**
   * Gets ready for one sign-in.
   * @param before the redirect URI we registered with; the same again saves a registration
   */
  open(before: string | undefined): OpenRedirect | Promise<OpenRedirect>
}

export interface OpenRedirect {
  /** Where the server sends the person back to: https, or http on the person's own machine. */
  readonly uri: string
  /**
   * Shows the person this page.
   * @param url http or https. Do not put it into a shell line
   * @param signal aborts when it took too long
   * @returns where the browser was sent, with all its parameters
   */
  authorize(url: string, signal: AbortSignal): Promise<string>
  /** The sign-in is over, one way or the other. */
  close(): void | Promise<void>
}

/** @throws {AuthError} `caller.declined` */
export async function withinTime<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const timeUp = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      timeUp.abort()
      reject(new AuthError('caller.declined', `Nobody signed in within ${ms / 1_000} s`))
    }, ms)
  })
  try {
    return await Promise.race([work(timeUp.signal), over])
  } finally {
    clearTimeout(timer)
  }
}
