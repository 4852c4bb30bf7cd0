import type { GivenClient } from '../client/identity.ts'
import { AuthError } from '../errors.ts'
import { asToken } from '../tokens/token-set.ts'
import { type Grant, identifyGiven } from './grant.ts'
import { showAssertion } from './jwt-bearer.ts'

/**
 * A signed statement of the platform a program runs on, or a function that gets one: asked for every token, with the
 * issuer of the authorization server, which is the audience it must have.
 */
export type Assertion = string | ((audience: string) => string | Promise<string>)

/** A program whose platform says who it is: no secret of its own (SEP-1933; RFC 7523 §2.1). */
export function workloadIdentityGrant(given: GivenClient, assertion: Assertion): Grant {
  return {
    asksPerson: false,
    owner: given.id,
    async obtain(context) {
      const { issuedBy } = context.found
      const client = identifyGiven(given, issuedBy, context.lastIssuer)
      const response = await showAssertion(context, client, await toAssertion(assertion, issuedBy.issuer))
      return { client, response, scopes: context.scopes }
    },
    recall: async (server) => identifyGiven(given, server, server.issuer),
  }
}

/** @throws {AuthError} where there is none; why, is not told: it may name what is inside */
export async function toAssertion(assertion: Assertion, audience: string): Promise<string> {
  const got = typeof assertion === 'string' ? assertion : await ask(assertion, audience)
  const token = asToken(got)
  if (token === undefined) throw new AuthError('internal.error', 'Cannot sign in: what says who we are cannot be had')
  return token
}

async function ask(assertion: Exclude<Assertion, string>, audience: string): Promise<string | undefined> {
  try {
    return await assertion(audience)
  } catch {
    return undefined
  }
}
