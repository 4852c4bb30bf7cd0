// Who may import whom: the rules of ARCHITECTURE.md ("Rooms"), checked by `npm run imports`. `.ci/rules.mjs` feeds
// this file a tree that breaks each rule once and fails when a violation goes unseen.

/** Rooms of the engine, top first. A room imports only itself and rooms above it. */
const ROOMS = [
  'jsonrpc',
  'json-schema',
  'protocol',
  'revisions',
  'peer',
  'bridge',
  'transports',
  'server',
  'client',
  'testing',
]

/** Packages each package may import from its sources. Tests may import any of them, and testkit. */
const MAY_IMPORT = {
  mcp: [],
  auth: [],
  sources: ['mcp'],
  host: ['mcp', 'auth'],
  gateway: ['mcp', 'auth', 'sources'],
  console: ['mcp'],
  cli: ['mcp', 'auth', 'sources', 'host', 'gateway', 'console'],
  testkit: ['mcp', 'auth', 'gateway'],
}

/** Where the platform may be touched: `node:` modules, and undici which is made of them. */
const PORCHES = [
  '^packages/mcp/src/transports/',
  '^packages/auth/src/node/',
  '^packages/gateway/src/(node|stores)/',
  // It answers requests of node:http beside the endpoints, and its library is made of koa.
  '^packages/gateway/src/authserver/',
  '^packages/(cli|testkit)/',
]

/** Tests, and what only they use. */
const TESTS = '([.](test|suite)[.]ts$|/fixtures/|^packages/[^/]+/test/)'

const roomOrder = ROOMS.slice(0, -1).map((room, at) => ({
  name: `room-order-${room}`,
  comment: `"${room}" imports only ${[...ROOMS.slice(0, at), 'itself', 'errors.ts'].join(', ')}`,
  severity: 'error',
  from: { path: `^packages/mcp/src/${room}/`, pathNot: TESTS },
  to: { path: `^packages/mcp/src/(${ROOMS.slice(at + 1).join('|')})/` },
}))

const packageOrder = Object.entries(MAY_IMPORT).map(([name, others]) => ({
  name: `package-order-${name}`,
  comment: `"${name}" imports ${others.join(', ') || 'nothing of ours'}`,
  severity: 'error',
  from: { path: `^packages/${name}/`, pathNot: TESTS },
  to: { path: '^packages/', pathNot: `^packages/(${[name, ...others].join('|')})/` },
}))

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Imports point one way, type imports included',
      severity: 'error',
      from: { path: '^packages/' },
      to: { circular: true },
    },
    ...roomOrder,
    {
      name: 'errors-above-all',
      comment: 'errors.ts stands above every room: it may name the shape of a frame, nothing more',
      severity: 'error',
      from: { path: '^packages/mcp/src/errors[.]ts$' },
      to: { pathNot: '^packages/mcp/src/jsonrpc/frame[.]ts$' },
    },
    {
      name: 'no-way-back-through-the-door',
      comment: 'A room does not import the index of its package: it would import every room at once',
      severity: 'error',
      from: { path: '^packages/([^/]+)/src/.+/', pathNot: TESTS },
      to: { path: '^packages/$1/src/index[.]ts$' },
    },
    ...packageOrder,
    {
      name: 'doors-only',
      comment: 'Between packages only through what `exports` declares, never by a relative path',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/', pathNot: '^packages/$1/', dependencyTypes: ['local'] },
    },
    {
      name: 'resolvable',
      comment: 'The path leads nowhere: a typo, or a place inside another package that is no door of it',
      severity: 'error',
      // bin/ starts the build, which need not be there yet.
      from: { path: '^packages/', pathNot: '^packages/[^/]+/bin/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'node-on-the-porch',
      comment: 'node: modules stay on the porches; the inside is plain data and functions',
      severity: 'error',
      from: { path: '^packages/', pathNot: [...PORCHES, TESTS] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'undici-on-the-porch',
      comment: 'undici is made of node: modules and stays where they stay',
      severity: 'error',
      from: { path: '^packages/', pathNot: [...PORCHES, TESTS] },
      to: { path: '(^|/)node_modules/undici/' },
    },
    {
      name: 'testkit-only-from-tests',
      comment: 'testkit is for tests; nothing that ships imports it',
      severity: 'error',
      from: { path: '^packages/(?!testkit/)', pathNot: TESTS },
      to: { path: '^packages/testkit/' },
    },
    {
      name: 'no-test-in-sources',
      comment: 'Tests do not ship, so nothing that ships imports one',
      severity: 'error',
      from: { path: '^packages/', pathNot: TESTS },
      to: { path: TESTS },
    },
    {
      name: 'declared-dependencies',
      comment: 'What ships imports only what its own package.json lists under dependencies',
      severity: 'error',
      from: { path: '^packages/', pathNot: TESTS },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules'] },
    exclude: { path: ['^packages/[^/]+/(build|dist|node_modules)/'] },
    tsPreCompilationDeps: true,
    webpackConfig: { fileName: require.resolve('./doors.cjs') },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'default'] },
  },
}
