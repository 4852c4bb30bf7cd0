/** Keys of a store: JSON, so that no part of one can be taken for another. */

/** What is known of an MCP server: its issuer, and who we are there. */
export function serverKey(server: string, owner: string, account: string): string {
  return JSON.stringify(['server', server, owner, account])
}

export function tokensKey(resource: string, issuer: string, clientId: string, account: string): string {
  return JSON.stringify(['tokens', resource, issuer, clientId, account])
}

/** A client that registered itself with one issuer, and is of no use with any other (trap 47). */
export function clientKey(issuer: string, clientName: string): string {
  return JSON.stringify(['client', issuer, clientName])
}

/** The same for the device flow, which wants a registration of its own. */
export function deviceClientKey(issuer: string, clientName: string): string {
  return JSON.stringify(['client', issuer, clientName, 'device'])
}
