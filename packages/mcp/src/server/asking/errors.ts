import type { ElicitResult } from '../../protocol/features/asking.ts'

/** Thrown where somebody was asked and said no. A tool that does not catch it fails with this text. */
export class Declined extends Error {
  readonly action: Exclude<ElicitResult['action'], 'accept'>

  constructor(action: Exclude<ElicitResult['action'], 'accept'>, question: string) {
    super(`The user ${action === 'decline' ? 'declined' : 'cancelled'} when asked: ${question}`)
    this.name = 'Declined'
    this.action = action
  }
}

/** A page that the user has to visit. */
export interface RequiredPage {
  /** Absolute, `https:` or `http:`. No secrets and no names: it is shown, and may be logged. */
  readonly url: string
  readonly message: string
  /** By which `server.elicitationComplete` later says that the visit is done. Default: a random one. */
  readonly elicitationId?: string
}

/**
 * Thrown by a handler that cannot work before the user has visited a page, such as a sign-in. How the caller is told
 * depends on its revision; the handler is called again when the client tries again, and decides anew.
 */
export class UrlElicitationRequired extends Error {
  readonly pages: readonly RequiredPage[]

  constructor(pages: readonly RequiredPage[]) {
    super(pages.map(({ message }) => message).join('; '))
    this.name = 'UrlElicitationRequired'
    this.pages = pages
  }
}

/**
 * Thrown where a schema cannot be a form, whoever is asked. The message names the field and says what a form can have,
 * for the author; the caller reads `told`, since nobody there can do anything about it.
 */
export class UnsuitedForm extends TypeError {
  readonly told = 'Cannot ask the user: the question does not fit a form; the log of the server says why'

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'UnsuitedForm'
  }
}

/**
 * Ends a run at a question that is not answered yet, so that `finally` blocks run. The run begins anew when the
 * answer is there; what a handler does with this error changes nothing.
 */
export class Suspended extends Error {
  constructor() {
    super('The run ends here until its question is answered')
    this.name = 'Suspended'
  }
}
