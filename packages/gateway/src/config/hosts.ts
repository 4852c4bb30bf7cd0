const WILDCARD_HOSTS: ReadonlySet<string> = new Set(['0.0.0.0', '[::]', '[::ffff:0:0]'])

function isWildcardHost(host: string): boolean {
  return WILDCARD_HOSTS.has(canonicalHost(host))
}

/** Whether only this machine reaches what is at a host. */
export function isLoopbackHost(host: string): boolean {
  if (isWildcardHost(host)) return false
  return /^(?:localhost|.+\.localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/.test(canonicalHost(host))
}

/** One spelling for each address: `0x0`, `0` and `0.0.0.0` are bound alike. */
function canonicalHost(host: string): string {
  const bare = host.replace(/^\[|\]$/g, '').replace(/%.*$/, '')
  const url = `http://${bare.includes(':') ? `[${bare}]` : bare}`
  return URL.canParse(url) ? new URL(url).hostname : host
}
