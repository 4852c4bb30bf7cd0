/**
 * One spelling for addresses that most servers take for the same: scheme and host in small letters, no `.` and `..`, nothing
 * written as `%61` that need not be. What is no URL stays as it is.
 */
export function toPlainUri(uri: string): string {
  const bare = uri.replace(/%([0-9a-f]{2})/gi, (written, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16))
    return /[A-Za-z0-9._~/-]/.test(character) ? character : written.toUpperCase()
  })
  return URL.canParse(bare) ? new URL(bare).href : bare
}
