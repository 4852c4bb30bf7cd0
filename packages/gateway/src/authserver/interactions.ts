import type { IncomingMessage, ServerResponse } from 'node:http'
import { type JsonObject, McpError } from '@crosspoint/mcp'
import type { Interaction, Provider } from 'oidc-provider'
import type { AuthServerConfig } from '../config/model-auth-server.ts'
import { isSameDigest } from '../identity/api-key.ts'
import type { Log } from '../log.ts'
import type { AccountStore } from '../stores/contract/account-store.ts'
import { toShown } from './clients.ts'
import { consentPage, loginPage, messagePage, pageHeaders, type ShownClient, upstreamPage } from './pages.ts'
import type { PasswordDesk } from './passwords.ts'
import { PATHS } from './paths.ts'
import { type People, toAccount } from './people.ts'
import { BASE_SCOPE } from './provider-needs.ts'
import type { Seal } from './seal.ts'
import type { UpstreamLogin } from './upstream-login.ts'

export interface InteractionsNeeds {
  readonly issuer: string
  readonly config: AuthServerConfig
  readonly accounts: AccountStore
  readonly people: People
  readonly passwords: PasswordDesk
  readonly seal: Seal
  readonly log: Log
  /** Undefined where people sign in here. */
  readonly upstream: UpstreamLogin | undefined
  /** Whether somebody may try once more. */
  readonly mayTry: (address: string, name: string) => Promise<boolean>
  readonly happened: (event: string, about: JsonObject) => void
}

/** One request of somebody's browser to a page of ours. */
export interface PageRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Behind the root of the pages: the sign-in it is about, and what is done. */
  readonly path: string
  readonly form: ReadonlyMap<string, string> | undefined
  readonly address: string
}

/** The pages on which people sign in and say what they allow. */
export class Interactions {
  readonly #provider: Provider
  readonly #needs: InteractionsNeeds

  constructor(provider: Provider, needs: InteractionsNeeds) {
    this.#provider = provider
    this.#needs = needs
  }

  async handle(page: PageRequest): Promise<void> {
    const { request, response, path, form } = page
    const [uid = '', action = ''] = path.split('/')
    const interaction = await this.#find(request, response, uid)
    if (interaction === undefined) {
      show(response, 400, messagePage('This sign-in has ended', 'Go back to the program and start again.'), [])
      return
    }
    if (request.method === 'GET' && action === '') return this.#show(page, interaction)
    if (request.method !== 'POST' || form === undefined) {
      show(response, 405, messagePage('This did not work', 'Go back and try again.'), [])
      return
    }
    if (!isSameDigest(form.get('csrf') ?? '', this.#csrf(interaction))) {
      show(response, 403, messagePage('This did not work', 'The page was not from here. Go back and try again.'), [])
      return
    }
    if (action === 'login' && interaction.prompt.name === 'login') return this.#login(page, interaction, form)
    if (action === 'upstream' && interaction.prompt.name === 'login') return this.#leave(page, interaction)
    if (action === 'consent' && interaction.prompt.name === 'consent') return this.#answer(page, interaction, form)
    if (action === 'other' && interaction.prompt.name === 'consent') return this.#other(page, interaction)
    show(response, 404, messagePage('This did not work', 'Go back and try again.'), [])
  }

  /** Somebody comes back from where they signed in. */
  async back({ request, response }: PageRequest): Promise<void> {
    const { upstream, people, config, happened, log } = this.#needs
    const done = await upstream?.finish(request, response)
    const interaction = done === undefined ? undefined : await this.#find(request, response, done.uid)
    if (done === undefined || interaction === undefined || config.upstream === undefined) {
      show(response, 400, messagePage('This sign-in has ended', 'Go back to the program and start again.'), [])
      return
    }
    try {
      if (done.claims === undefined) throw new RangeError('Nobody signed in')
      const account = await people.remember(done.claims, config.upstream)
      const person = await people.find(account)
      if (person === undefined) throw new RangeError('Somebody has the name of a client')
      happened('auth.signed_in', { principal: person.id, tenant: person.tenant, at: config.upstream.issuer })
      await this.#finish(request, response, { login: { accountId: account, remember: true } })
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      log.info({ reason: error.message }, 'Nobody could be signed in')
      this.#showLogin({ request, response }, interaction, await this.#clientOf(interaction), {
        fault: 'You could not be signed in there. Try again.',
      })
    }
  }

  async #show(page: PageRequest, interaction: Interaction): Promise<void> {
    const client = await this.#clientOf(interaction)
    if (interaction.prompt.name === 'login') this.#showLogin(page, interaction, client, {})
    else await this.#showConsent(page, interaction, client)
  }

  #showLogin(
    { response }: Pick<PageRequest, 'request' | 'response'>,
    interaction: Interaction,
    client: ShownClient,
    about: { readonly fault?: string; readonly name?: string },
    status = 200,
  ): void {
    const { upstream, config } = this.#needs
    const csrf = this.#csrf(interaction)
    const targets = this.#targets(interaction)
    if (upstream === undefined) {
      const form = { action: `${PATHS.interaction}/${interaction.uid}/login`, csrf }
      show(response, status, loginPage(client, form, about), targets)
    } else {
      const form = { action: `${PATHS.interaction}/${interaction.uid}/upstream`, csrf }
      const name = config.upstream?.name ?? new URL(config.upstream?.issuer ?? '').host
      // Whom people are sent on to there, we do not know.
      show(response, status, upstreamPage(client, form, name, about.fault), [
        ...targets,
        'https:',
        ...upstream.origins(),
      ])
    }
  }

  async #showConsent({ response }: PageRequest, interaction: Interaction, client: ShownClient): Promise<void> {
    const { accountId = '' } = interaction.session ?? {}
    const person = await this.#needs.people.find(accountId)
    const root = `${PATHS.interaction}/${interaction.uid}`
    const { scope, resource } = interaction.params
    const asked = {
      client,
      person: person?.id ?? '',
      scopes: toScopes(scope).filter((name) => name !== BASE_SCOPE),
      resources: [resource].flat().map(String),
      otherAction: interaction.deviceCode === undefined ? `${root}/other` : undefined,
    }
    const form = { action: `${root}/consent`, csrf: this.#csrf(interaction) }
    show(response, 200, consentPage(asked, form), this.#targets(interaction))
  }

  async #login(page: PageRequest, interaction: Interaction, form: ReadonlyMap<string, string>): Promise<void> {
    const { accounts, passwords, people, mayTry, log, happened, upstream } = this.#needs
    const { request, response, address } = page
    const name = form.get('name') ?? ''
    const password = form.get('password') ?? ''
    const refuse = async (fault: string, status: number) =>
      this.#showLogin(page, interaction, await this.#clientOf(interaction), { fault, name: name.slice(0, 256) }, status)
    if (upstream !== undefined || name.length > MAX_FIELD || password.length > MAX_FIELD) return refuse(WRONG, 400)
    if (!(await mayTry(address, name))) return refuse('Too many have tried. Try again in some minutes.', 429)
    const account = await accounts.find(name)
    const isTheirs = await passwords.isPassword(password, account?.digest).catch((error: unknown) => {
      if (error instanceof McpError) return undefined
      throw error
    })
    if (isTheirs === undefined) return refuse('Too many sign in at the moment. Try again.', 503)
    const person = isTheirs ? await people.find(toAccount(name)) : undefined
    if (person === undefined) {
      log.info({ address }, 'Refused a sign-in')
      happened('auth.sign_in_refused', { address })
      return refuse(WRONG, 401)
    }
    happened('auth.signed_in', { principal: person.id, tenant: person.tenant })
    await this.#finish(request, response, { login: { accountId: toAccount(name), remember: true } })
  }

  async #leave({ request, response }: PageRequest, interaction: Interaction): Promise<void> {
    const { upstream, log } = this.#needs
    try {
      await upstream?.begin(interaction.uid, response)
    } catch (error) {
      log.warn({ error: String(error) }, 'Cannot send anybody on to where they sign in')
      const fault = 'Nobody can sign in there at the moment. Try again later.'
      this.#showLogin({ request, response }, interaction, await this.#clientOf(interaction), { fault }, 503)
    }
  }

  /** What somebody allows is one grant for each client and session; what was allowed before stays allowed. */
  async #answer(
    { request, response }: PageRequest,
    interaction: Interaction,
    form: ReadonlyMap<string, string>,
  ): Promise<void> {
    const { params, session, grantId: known, prompt } = interaction
    const clientId = String(params.client_id)
    const account = session?.accountId
    if (form.get('answer') !== 'allow' || account === undefined) {
      await this.#finish(request, response, { error: 'access_denied', error_description: 'not allowed' }, false)
      return
    }
    const before = known === undefined ? undefined : await this.#provider.Grant.find(known)
    const grant = before ?? new this.#provider.Grant({ accountId: account, clientId })
    const { missingOIDCScope, missingResourceScopes } = prompt.details as Missing
    if (missingOIDCScope !== undefined) grant.addOIDCScope(missingOIDCScope.join(' '))
    for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {})) {
      grant.addResourceScope(resource, scopes.join(' '))
    }
    const grantId = await grant.save()
    const person = await this.#needs.people.find(account)
    this.#needs.happened('auth.allowed', {
      grant: grantId,
      client: clientId,
      ...(person === undefined ? {} : { principal: person.id, tenant: person.tenant }),
    })
    await this.#finish(request, response, { consent: { grantId } })
  }

  /** Forgets who is signed in, and asks again. */
  async #other({ response }: PageRequest, interaction: Interaction): Promise<void> {
    const uid = interaction.session?.uid
    const session = uid === undefined ? undefined : await this.#provider.Session.findByUid(uid)
    await session?.destroy()
    const again = new URLSearchParams()
    for (const [name, value] of Object.entries(interaction.params)) {
      for (const one of [value].flat()) if (typeof one === 'string') again.append(name, one)
    }
    redirect(response, `${PATHS.authorize}?${again}`)
  }

  async #finish(request: IncomingMessage, response: ServerResponse, result: object, merge = true): Promise<void> {
    const to = await this.#provider.interactionResult(request, response, result as never, {
      mergeWithLastSubmission: merge,
    })
    redirect(response, to)
  }

  /** The sign-in of this browser, where it is the one it asks about. */
  async #find(request: IncomingMessage, response: ServerResponse, uid: string): Promise<Interaction | undefined> {
    try {
      const found = await this.#provider.interactionDetails(request, response)
      return found.uid === uid ? found : undefined
    } catch (error) {
      // Of a session that is not there any more, or was never this browser's.
      if (error instanceof Error && error.name === 'SessionNotFound') return undefined
      throw error
    }
  }

  async #clientOf({ params }: Interaction): Promise<ShownClient> {
    const client = await this.#provider.Client.find(String(params.client_id))
    if (client === undefined) throw new RangeError('A client is not known any more')
    return toShown(client, params.redirect_uri)
  }

  #csrf({ uid, jti }: Interaction): string {
    return this.#needs.seal.digest('csrf', `${uid}\0${jti}`)
  }

  /** Where a form may lead: a browser looks at the whole chain of redirects. */
  #targets({ params }: Interaction): readonly string[] {
    const uri = params.redirect_uri
    return typeof uri === 'string' && URL.canParse(uri) ? [new URL(uri).origin] : []
  }
}

interface Missing {
  readonly missingOIDCScope?: readonly string[]
  readonly missingResourceScopes?: Readonly<Record<string, readonly string[]>>
}

function show(response: ServerResponse, status: number, page: string, targets: readonly string[]): void {
  response.writeHead(status, pageHeaders(targets)).end(page)
}

function redirect(response: ServerResponse, to: string): void {
  response.writeHead(303, { location: to, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }).end()
}

function toScopes(scope: unknown): readonly string[] {
  return typeof scope === 'string' ? scope.split(' ').filter((name) => name !== '') : []
}

const WRONG = 'This name and this password do not belong together.'
const MAX_FIELD = 256
