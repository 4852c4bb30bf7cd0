/** One of http(s), without user name, password and fragment. */
export function toPlainUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  const isPlain = /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && !text.includes('#')
  return isPlain ? url : undefined
}
