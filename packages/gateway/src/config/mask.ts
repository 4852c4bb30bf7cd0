/** What stands for a secret wherever a configuration is shown. */
export const MASK = '••••'

/** Variables stay, their defaults do not: `${TOKEN:-abc}` -> `${TOKEN:-••••}`. */
export function maskReferences(written: string): string {
  return written.replaceAll(/(\$\{[^{}:]*(?:env:[^{}:]*)?:-)[^{}]*\}/g, `$1${MASK}}`)
}

/** Arguments with the values of options that sound like secrets, and texts that look like keys, masked. */
export function maskArguments(args: readonly string[]): readonly string[] {
  return args.map((arg, index) => {
    const before = args[index - 1] ?? ''
    const isValue = isSecretOption(before) && !before.includes('=') && !arg.startsWith('-')
    return isValue && !isReference(arg) ? MASK : maskArgument(arg)
  })
}

function maskArgument(arg: string): string {
  const [, name = '', value = arg] = /^(-{0,2}[\w-]+(?:=|:\s*))(?!\/\/)(.+)$/s.exec(arg) ?? []
  if (isReference(value)) return arg
  if (SECRET_WORD.test(name) || LOOKS_LIKE_A_KEY.test(value)) return `${name}${MASK}`
  return URL_START.test(value) ? `${name}${maskUrl(value)}` : arg
}

/** A URL without user name, password, and the values of its query. */
export function maskUrl(url: string): string {
  const [base = '', query] = splitOnce(url, '?')
  const bare = base.replace(/^([a-z][\w+.-]*:\/\/)[^/?#]*@/i, `$1${MASK}@`)
  if (query === undefined) return bare
  const masked = query.split('&').map((pair) => {
    const [name = '', value] = splitOnce(pair, '=')
    return value === undefined || isReference(value) ? pair : `${name}=${MASK}`
  })
  return `${bare}?${masked.join('&')}`
}

function splitOnce(text: string, mark: string): [string, string?] {
  const at = text.indexOf(mark)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + mark.length)]
}

/** Nothing but a variable, its default masked already. */
function isReference(text: string): boolean {
  return /^\$\{[^{}]*\}$/.test(text)
}

function isSecretOption(option: string): boolean {
  return option.startsWith('-') && SECRET_WORD.test(option)
}

const URL_START = /^[a-z][a-z0-9+.-]*:\/\//i

const SECRET_WORD = /key|token|secret|passw|passphrase|credential|auth|bearer|cookie|dsn/i
/** Prefixes that issuers of keys use so that scanners can find them, and JSON Web Tokens. */
const LOOKS_LIKE_A_KEY = /^(?:sk-|pk-|gh[opsu]_|github_pat_|glpat-|xox[abprs]-|AKIA|AIza|eyJ[\w-]+\.)/
