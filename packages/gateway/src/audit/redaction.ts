/** Says of each member of arguments whether its value stays out of records; see {@link toRedaction}. */
export interface Redaction {
  /** Of the member of that name; undefined: its value stays out. */
  into(name: string): Redaction | undefined
}

/**
 * @param paths of members of arguments, as `password`, `auth.token`, `items.*.code`; `*` stands for any member or
 *   item, and `**` in front for any depth. Members whose names look like secrets stay out without being named.
 */
export function toRedaction(paths: readonly string[]): Redaction {
  const steps = paths.map((path) => path.replace(/^\$\./, '').split('.'))
  return new Paths(steps)
}

class Paths implements Redaction {
  readonly #paths: readonly (readonly string[])[]

  constructor(paths: readonly (readonly string[])[]) {
    this.#paths = paths
  }

  into(name: string): Redaction | undefined {
    if (isSecretName(name)) return undefined
    if (this.#paths.length === 0) return this
    const further: (readonly string[])[] = []
    for (const path of this.#paths) {
      const rest = follow(path, name)
      if (rest.some((left) => left.length === 0)) return undefined
      further.push(...rest)
    }
    return further.length === 0 ? PLAIN : new Paths(further)
  }
}

/** What is left of a path behind a member of that name: nothing of it, all of it where it holds at any depth. */
function follow(path: readonly string[], name: string): readonly (readonly string[])[] {
  const [step, ...rest] = path
  if (step === '**') return [path, ...follow(rest, name)]
  return step === name || step === '*' ? [rest] : []
}

/** Whether a member is called as secrets are. */
function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name)
}

/** Whether a text looks like a secret whatever it is called: tokens of known kinds, private keys, passwords in URLs. */
export function isSecretText(text: string): boolean {
  return SECRET_TEXT.test(text)
}

const PLAIN: Redaction = new Paths([])

const SECRET_NAME =
  /passw(?:or)?d|passphrase|secret|token|api[-_ ]?key|credential|authorization|cookie|(?:private|access|signing|encryption)[-_ ]?key|bearer|^(?:pin|otp|cvv|cvc|ssn|pwd|pass|auth|key|jwt)$/i

const SECRET_TEXT =
  /^(?:bearer|basic) [\w+/=.~-]{8}|\b(?:gh[pousr]_|github_pat_|glpat-|sk-|xox[abprs]-|cpk_)[\w-]{8}|\bAKIA[0-9A-Z]{16}\b|\beyJ[\w-]{8,}\.[\w-]+\.|-----BEGIN [A-Z ]*PRIVATE KEY-----|:\/\/[^\s/@:]+:[^\s/@]+@/i
