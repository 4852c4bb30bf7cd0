import { expect, it } from 'vitest'
import {
  clientCredentials,
  createFileStore,
  createLoopbackRedirect,
  createOAuth,
  enterpriseManaged,
  protectedResourceMetadata,
  verifyToken,
  workloadIdentity,
} from '../node/index.ts'

const RESOURCE = 'https://mcp.example.com/mcp'
const ISSUERS = ['https://as.example.com']
const CLIENT = { id: 'job', secret: 's3cr3t' }
const PROVIDER = { issuer: 'https://idp.example.com', client: { id: 'c' }, idToken: 'signed' }

/** As plain JavaScript calls them: with anything. */
type Loose = (options?: unknown) => unknown
const UNSET = 'it is undefined, as a variable of the environment is that is not set'

it.each<[Loose, unknown, string]>([
  [verifyToken as Loose, undefined, 'Cannot check tokens without the option "resource": it has to be the URL'],
  [verifyToken as Loose, 'x', 'Cannot check tokens with other text: the options have to be an object'],
  [verifyToken as Loose, { resource: RESOURCE, issuer: 'x' }, '"issuer": there is none; did you mean "issuers"?'],
  [
    verifyToken as Loose,
    { resource: RESOURCE, issuers: 'x' },
    '"issuers": it has to be a list of those who give tokens',
  ],
  [verifyToken as Loose, { resource: RESOURCE, issuers: [] }, 'and is an empty list'],
  [verifyToken as Loose, { resource: RESOURCE, issuers: [undefined] }, `without the option "issuers[0]": ${UNSET}`],
  [
    verifyToken as Loose,
    { resource: RESOURCE, issuers: ['as'] },
    '"issuers[0]": it has to be the http(s) URL of an issuer',
  ],
  [
    verifyToken as Loose,
    { resource: RESOURCE, issuers: [{ isuer: 'x' }] },
    '"issuers[0].isuer": there is none; did you mean',
  ],
  [verifyToken as Loose, { resource: RESOURCE, issuers: [{ issuer: 'https://a', keys: {} }] }, '"issuers[0].keys"'],
  [verifyToken as Loose, { resource: undefined, issuers: ISSUERS }, `without the option "resource": ${UNSET}`],
  [verifyToken as Loose, { resource: 'nope', issuers: ISSUERS }, '"resource": it has to be the URL'],
  [verifyToken as Loose, { resource: 'localhost:3000/mcp', issuers: ISSUERS }, 'and is "localhost:3000/mcp"'],
  [verifyToken as Loose, { resource: [], issuers: ISSUERS }, 'and is an empty list'],
  [
    verifyToken as Loose,
    { resource: RESOURCE, issuers: ISSUERS, scopes: 'read' },
    '"scopes": it has to be a list of scopes',
  ],
  [verifyToken as Loose, { resource: RESOURCE, issuers: ISSUERS, implied: { a: 'b' } }, '"implied"'],
  [verifyToken as Loose, { resource: RESOURCE, issuers: ISSUERS, leewaySeconds: Number.NaN }, 'and is NaN'],
  [verifyToken as Loose, { resource: RESOURCE, issuers: ISSUERS, trustedHosts: ['https://a.b'] }, 'a host alone'],
  [protectedResourceMetadata as Loose, undefined, 'Cannot describe a resource without the option "resource"'],
  [protectedResourceMetadata as Loose, { resource: undefined, issuers: ISSUERS }, UNSET],
  [protectedResourceMetadata as Loose, { resource: RESOURCE, issuers: [undefined] }, 'without the option "issuers[0]"'],
  [
    protectedResourceMetadata as Loose,
    { resource: RESOURCE, issuers: ISSUERS, scope: ['a'] },
    'did you mean "scopes"?',
  ],
  [clientCredentials as Loose, undefined, 'Cannot sign a program in without the option "client"'],
  [clientCredentials as Loose, { clinet: CLIENT }, '"clinet": there is none; did you mean "client"?'],
  [clientCredentials as Loose, { client: 'job' }, '"client": it has to be the client that was registered'],
  [clientCredentials as Loose, { client: { secret: 's' } }, 'without the option "client.id"'],
  [
    clientCredentials as Loose,
    { client: { id: 'job', secret: undefined } },
    `without the option "client.secret": ${UNSET}`,
  ],
  [
    clientCredentials as Loose,
    { client: { id: 'job' } },
    'without the option "client.secret": it has to be the secret',
  ],
  [clientCredentials as Loose, { client: { id: 'job', secret: '' } }, '"client.secret": it has to be'],
  [clientCredentials as Loose, { client: { id: 'job', privateKey: undefined } }, 'without the option "client.secret"'],
  [clientCredentials as Loose, { client: CLIENT, scope: ['a'] }, '"scope": it has to be scopes in one text'],
  [createOAuth as Loose, 'x', 'the options have to be an object'],
  [createOAuth as Loose, { clientNam: 'x' }, '"clientNam": there is none; did you mean "clientName"?'],
  [createOAuth as Loose, { store: {} }, '"store": it has to be a store, such as createMemoryStore()'],
  [createOAuth as Loose, { redirect: 'https://x' }, '"redirect": it has to be a redirect'],
  [createOAuth as Loose, { client: { id: 'c', secret: undefined } }, `without the option "client.secret": ${UNSET}`],
  [createOAuth as Loose, { client: { id: 'c', authMethod: 'basic' } }, 'one of "none", "client_secret_basic"'],
  [createOAuth as Loose, { requestTimeoutMs: '5s' }, '"requestTimeoutMs": it has to be a number from 0 up'],
  [
    workloadIdentity as Loose,
    { client: { id: 'w' } },
    'Cannot sign in with a workload identity without the option "assertion"',
  ],
  [enterpriseManaged as Loose, { client: CLIENT }, 'without the option "identityProvider"'],
  [
    enterpriseManaged as Loose,
    { client: CLIENT, identityProvider: { ...PROVIDER, client: { id: undefined } } },
    `without the option "identityProvider.client.id": ${UNSET}`,
  ],
  [createFileStore as Loose, undefined, 'Cannot keep tokens in files without the option "folder"'],
  [createFileStore as Loose, { folder: undefined }, UNSET],
  [createFileStore as Loose, { foldr: '/x' }, 'did you mean "folder"?'],
  [createLoopbackRedirect as Loose, { hostname: '::1' }, 'one of "127.0.0.1", "localhost", and is "::1"'],
  [createLoopbackRedirect as Loose, { port: '80' }, '"port": it has to be a port'],
])('%o refuses %j where it is given, and says what would work', (make, options, sentence) => {
  expect(() => make(options)).toThrow(TypeError)
  expect(() => make(options)).toThrow(sentence)
})

it.each<[Loose, unknown]>([
  [verifyToken as Loose, { resource: [RESOURCE, '6f1c'], issuers: ISSUERS, scopes: undefined }],
  [verifyToken as Loose, { resource: 'api://tasks', issuers: [{ issuer: 'https://a', keys: { keys: [] } }] }],
  [clientCredentials as Loose, { client: { id: 'job', authMethod: 'none' } }],
  [clientCredentials as Loose, { client: { id: 'job', privateKey: 'PEM', secret: undefined } }],
  [workloadIdentity as Loose, { client: { id: 'w' }, assertion: () => 'signed' }],
  [enterpriseManaged as Loose, { client: CLIENT, identityProvider: PROVIDER }],
  [createOAuth as Loose, undefined],
  [createOAuth as Loose, { fetch: undefined, redirect: undefined, trustedHosts: ['as.corp', '[::1]', '10.0.0.1'] }],
])('%o takes %j', (make, options) => {
  expect(() => make(options)).not.toThrow()
})

it('names no secret', () => {
  const wrong = { client: { id: 'job', secret: 's3cr3t', privateKey: 7, secrett: 's3cr3t' } }
  expect(() => (clientCredentials as Loose)(wrong)).toThrow(/^(?!.*s3cr3t).*secrett/)
  const inUrl = { resource: 'https://me:s3cr3t@a.b/mcp', issuers: ISSUERS }
  expect(() => (protectedResourceMetadata as Loose)(inUrl)).toThrow(/^(?!.*s3cr3t)/)
})
