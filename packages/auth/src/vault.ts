import { asString } from './json.ts'
import { serverKey, tokensKey } from './keys.ts'
import type { TokenStore } from './store.ts'
import { parseStored, type TokenSet, toStored } from './tokens/token-set.ts'

/** The tokens for one MCP server in a store that holds many. */
export class Vault {
  readonly #store: TokenStore
  readonly #account: string
  readonly #serverKey: string

  constructor(store: TokenStore, server: string, owner: string, account: string) {
    this.#store = store
    this.#account = account
    this.#serverKey = serverKey(server, owner, account)
  }

  /** The issuer of the tokens last kept, also when the tokens themselves are gone. */
  async lastIssuer(): Promise<string | undefined> {
    return asString((await this.#store.read(this.#serverKey))?.issuer)
  }

  async load(): Promise<TokenSet | undefined> {
    const about = await this.#store.read(this.#serverKey)
    const [resource, issuer, clientId] = [asString(about?.resource), asString(about?.issuer), asString(about?.clientId)]
    if (resource === undefined || issuer === undefined || clientId === undefined) return undefined
    return this.again({ resource, issuer, clientId })
  }

  /** The same tokens as somebody else may have renewed them. */
  async again(tokens: Pick<TokenSet, 'resource' | 'issuer' | 'clientId'>): Promise<TokenSet | undefined> {
    return parseStored(await this.#store.read(this.#keyOf(tokens)))
  }

  async save(tokens: TokenSet): Promise<void> {
    const { resource, issuer, clientId } = tokens
    // The tokens first: a rotated refresh token exists nowhere else.
    await this.#store.write(this.#keyOf(tokens), toStored(tokens))
    await this.#store.write(this.#serverKey, { resource, issuer, clientId })
  }

  async drop(tokens: TokenSet): Promise<void> {
    await this.#store.write(this.#keyOf(tokens), undefined)
  }

  exclusively<T>(tokens: TokenSet, work: () => Promise<T>): Promise<T> {
    return this.#store.exclusively(this.#keyOf(tokens), work)
  }

  #keyOf({ resource, issuer, clientId }: Pick<TokenSet, 'resource' | 'issuer' | 'clientId'>): string {
    return tokensKey(resource, issuer, clientId, this.#account)
  }
}
