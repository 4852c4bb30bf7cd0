/**
 * Where a text names a secret, the model has a mark in its place: what it stands for is looked up when a server is
 * connected to, and is in no configuration. NUL is in no variable of an environment, so that no value can make a mark.
 */
const MARK = /\0secret:([^\0]+)\0/g

/** Names of secrets: letters, digits, `_`, `-` and `.`, beginning with a letter or digit. */
export const SECRET_NAME = /^[A-Za-z0-9][\w.-]{0,63}$/

export function toSecretMark(name: string): string {
  return `\0secret:${name}\0`
}

/** Names of the secrets in a text, in their order. */
export function secretsIn(text: string): readonly string[] {
  return text.includes('\0') ? [...text.matchAll(MARK)].map(([, name = '']) => name) : []
}

/** The text with what its marks stand for. */
export function withSecrets(text: string, textOf: (name: string) => string): string {
  return text.includes('\0') ? text.replace(MARK, (_, name: string) => textOf(name)) : text
}

/** Names of the secrets in all texts of a value. */
export function secretsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return secretsIn(value)
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(secretsOf)
}
