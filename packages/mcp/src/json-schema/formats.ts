/** A format that can be asserted. */
export interface Format {
  /** What a text of this format is, with an example. */
  readonly wanted: string
  readonly holds: (text: string) => boolean
}

// The patterns are anchored at both ends and say at every character what it belongs to, so that they are linear.

/** RFC 5321 §4.1.2, Mailbox with a dot-string or a quoted string, and a domain or an address literal. */
const LOCAL = /^(?:[\w!#$%&'*+\-/=?^`{|}~]+(?:\.[\w!#$%&'*+\-/=?^`{|}~]+)*|"(?:[ !#-[\]-~]|\\[ -~])*")$/
const DOMAIN = /^[A-Za-z\d](?:[A-Za-z\d-]{0,61}[A-Za-z\d])?(?:\.[A-Za-z\d](?:[A-Za-z\d-]{0,61}[A-Za-z\d])?)*$/
const ADDRESS_LITERAL = /^\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[\da-fA-F:.]+)\]$/

function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@')
  if (at < 1 || at > MAX_LOCAL || text.length - at > MAX_DOMAIN) return false
  const domain = text.slice(at + 1)
  return LOCAL.test(text.slice(0, at)) && (domain.startsWith('[') ? isAddressLiteral(domain) : DOMAIN.test(domain))
}

function isAddressLiteral(domain: string): boolean {
  if (!ADDRESS_LITERAL.test(domain)) return false
  const host = domain.startsWith('[IPv6:') ? `[${domain.slice(6)}` : domain.slice(1, -1)
  return URL.canParse(`http://${host}/`)
}

const MAX_LOCAL = 64
const MAX_DOMAIN = 256

/** RFC 3986 §3: characters and percent signs here; the parts are for the URL of the platform. */
const URI =
  /^[A-Za-z][A-Za-z\d+.-]*:(?:[\w\-.~:/?@!$&'()*+,;=[\]]|%[\dA-Fa-f]{2})*(?:#(?:[\w\-.~:/?@!$&'()*+,;=]|%[\dA-Fa-f]{2})*)?$/
const AUTHORITY =
  /^[A-Za-z][A-Za-z\d+.-]*:\/\/(?:[^/?#@[\]]*@)?(?:\[(?:[\da-fA-F:.]+|[vV][\da-fA-F]+\.[\w\-.~:!$&'()*+,;=]+)\]|[^/?#@[\]:]*)(?::\d*)?(?:$|[/?#])/
const BRACKET = /[[\]]/

function isUri(text: string): boolean {
  if (!URI.test(text)) return false
  const rest = text.slice(text.indexOf(':') + 1)
  if (!rest.startsWith('//')) return !BRACKET.test(rest)
  if (!AUTHORITY.test(text)) return false
  const end = rest.slice(2).search(/[/?#]/)
  const [authority, path] = end === -1 ? [rest, ''] : [rest.slice(0, end + 2), rest.slice(end + 2)]
  if (BRACKET.test(path)) return false
  const literal = /\[([\da-fA-F:.]+)\]/.exec(authority)?.[1]
  return literal === undefined || URL.canParse(`http://[${literal}]/`)
}

/** RFC 3339 §5.6. */
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/
const TIME = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/

function isDate(text: string): boolean {
  const [, year, month, day] = (DATE.exec(text) ?? []).map(Number)
  if (year === undefined || month === undefined || day === undefined) return false
  return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(month, year)
}

function daysIn(month: number, year: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

function isTime(text: string): boolean {
  const parts = TIME.exec(text)
  if (parts === null) return false
  const [hours = 0, minutes = 0, seconds = 0] = parts.slice(1, 4).map(Number)
  const [awayHours = 0, awayMinutes = 0] = parts.slice(5, 7).map((part) => Number(part ?? 0))
  if (hours > 23 || minutes > 59 || awayHours > 23 || awayMinutes > 59) return false
  if (seconds < 60) return true
  // A leap second is the last of a day in UTC.
  const away = (awayHours * 60 + awayMinutes) * (parts[4] === '-' ? -1 : 1)
  return seconds === 60 && (hours * 60 + minutes - away + MINUTES_A_DAY) % MINUTES_A_DAY === MINUTES_A_DAY - 1
}

function isDateTime(text: string): boolean {
  return /^.{10}[Tt]/.test(text) && isDate(text.slice(0, 10)) && isTime(text.slice(11))
}

const MINUTES_A_DAY = 24 * 60

/** The formats of elicitation forms. Others stay annotations. */
export const FORMATS: ReadonlyMap<string, Format> = new Map([
  ['email', { wanted: 'an e-mail address, such as "ada@example.com"', holds: isEmail }],
  ['uri', { wanted: 'an absolute URI, such as "https://example.com/"', holds: isUri }],
  ['date', { wanted: 'a date, such as "2026-07-31"', holds: isDate }],
  ['date-time', { wanted: 'a date and time with its offset, such as "2026-07-31T12:00:00Z"', holds: isDateTime }],
])
