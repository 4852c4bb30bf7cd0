import { McpError } from '@crosspoint/mcp'
import { CredentialError } from './credential-error.ts'

/** Nobody has signed in, or what that brought is not good enough: a person has to look at a page. */
export class SignInRequired extends CredentialError {
  readonly server: string

  constructor(server: string) {
    super('sign-in', `nobody has signed in to "${server}"; that is: crosspoint connect ${server}`)
    this.server = server
  }
}

/** What went wrong on the way to a server for want of a sign-in. */
export function signInBehind(error: unknown): SignInRequired | undefined {
  if (error instanceof SignInRequired) return error
  return error instanceof McpError && error.cause instanceof SignInRequired ? error.cause : undefined
}
