// The legs of the gateway's bench, and what each has to hold. A row says who is measured and what it is asked; a budget
// compares two rows of the same round (report.mjs).

const CONNECTIONS = 16
const PAGE = 200

export const LEGS = [
  {
    name: 'pass-through, 100 bytes',
    calls: 8_000,
    concurrency: CONNECTIONS,
    rows: [gateway('modern', 'modern'), plainProxy('modern')],
    budgets: [
      { what: 'cpuUs', beside: 'plain proxy', most: 1.6 },
      { what: 'rate', beside: 'plain proxy', least: 0.6 },
    ],
  },
  {
    name: 'governed, 100 bytes',
    calls: 8_000,
    concurrency: CONNECTIONS,
    rows: [governed('modern'), plainProxy('modern'), gateway('modern', 'modern')],
    budgets: [{ what: 'cpuUs', beside: 'plain proxy', most: 2 }],
  },
  {
    name: 'telemetry, 100 bytes',
    calls: 6_000,
    concurrency: CONNECTIONS,
    rows: [
      governed('modern', 'metrics', () => ({ metrics: { prometheus: { port: 0 } } })),
      governed('modern', 'no trace of all', (otlp) => ({ traces: { otlp, sample: 0 } })),
      governed('modern', 'one trace of 100', (otlp) => ({ traces: { otlp, sample: 0.01 } })),
      governed('modern', 'all traces', (otlp) => ({ traces: { otlp, sample: 1 } })),
      governed('modern'),
    ],
    budgets: [
      ...['metrics', 'no trace of all', 'one trace of 100'].map((what) => ({
        what: 'cpuUs',
        row: `gateway, ${what}`,
        beside: 'gateway with all its rules',
        most: 1.1,
      })),
      { what: 'cpuUs', row: 'gateway, all traces', beside: 'gateway with all its rules', most: 1.5 },
    ],
  },
  large('10 KB of text', 4_000, { bytes: 10_000, kind: 'text' }, 1.6),
  large('1 MB of text', 100, { bytes: 1_000_000, kind: 'text' }),
  large('1 MB of text with escapes', 100, { bytes: 1_000_000, kind: 'escapes' }),
  large('1 MB of text beyond ASCII', 60, { bytes: 1_000_000, kind: 'unicode' }),
  large('1 MB of structured content', 60, { bytes: 1_000_000, kind: 'structured' }),
  large('1 MB of text that has to be read', 100, { bytes: 1_000_000, kind: 'linked' }, 1.1),
  {
    name: 'one connection',
    calls: 1_500,
    concurrency: 1,
    rows: [gateway('modern', 'modern'), plainProxy('modern'), upstream('modern')],
    budgets: [{ what: 'p50Us', beside: 'plain proxy', less: 'upstream', most: 2 }],
  },
  {
    name: 'list of 200 tools',
    calls: 1_500,
    concurrency: CONNECTIONS,
    rows: [gatewayList(200), plainProxyList(200)],
    budgets: [{ what: 'cpuUs', beside: 'plain proxy', most: 0.3 }],
  },
  {
    // The first page of the one has no cursor to read, that of the other is in the middle of its list.
    name: 'page of 200 tools out of 10,000',
    calls: 3_000,
    concurrency: CONNECTIONS,
    rows: [gatewayList(10_000, { page: 25 }), gatewayList(200)],
    budgets: [{ what: 'cpuUs', beside: 'gateway, all of 200 tools', most: 1.15 }],
  },
  {
    name: 'crossing, modern client to legacy server',
    calls: 6_000,
    concurrency: CONNECTIONS,
    rows: [gateway('modern', 'legacy'), gateway('legacy', 'legacy')],
    budgets: [{ what: 'cpuUs', beside: 'gateway, legacy to legacy', most: 1.3 }],
  },
  {
    name: 'crossing, legacy client to modern server',
    calls: 6_000,
    concurrency: CONNECTIONS,
    rows: [gateway('legacy', 'modern'), gateway('modern', 'modern')],
    budgets: [{ what: 'cpuUs', beside: 'gateway, modern to modern', most: 1.3 }],
  },
  {
    name: 'beside mcp-proxy, stdio server',
    calls: 8_000,
    concurrency: CONNECTIONS,
    rows: [gateway('legacy', 'stdio'), mcpProxy()],
    budgets: [{ what: 'rate', beside: 'mcp-proxy', least: 5 }],
  },
]

/** Large results, which nobody needs to read on the way unless it is said. */
function large(what, calls, more, most = 0.5) {
  return {
    name: `pass-through, ${what}`,
    calls,
    concurrency: CONNECTIONS,
    rows: [gateway('modern', 'modern', more), plainProxy('modern', more)],
    budgets: [{ what: 'cpuUs', beside: 'plain proxy', most }],
  }
}

/** Calls of a client of one era through the gateway to a server of another. `more` comes back with each answer. */
function gateway(client, server, more = undefined) {
  return {
    name: `gateway, ${client} to ${server}`,
    async start(cast) {
      const subject = await cast.gateway(server)
      return { subject, job: { port: subject.port, era: client, method: 'tools/call', tool: 'bench__echo', more } }
    },
  }
}

/** The same with identity, rules, limits, a look into the cache and evidence. */
function governed(era, what, telemetry) {
  return {
    name: what === undefined ? 'gateway with all its rules' : `gateway, ${what}`,
    async start(cast) {
      const { subject, token } = await cast.governed(era, telemetry)
      return { subject, job: { port: subject.port, era, method: 'tools/call', tool: 'bench__echo', token } }
    },
  }
}

/** Its list, in pages of 200. `page` counts from 0. */
function gatewayList(tools, { page = 0 } = {}) {
  return {
    name: `gateway, ${page === 0 ? 'all' : 'a page'} of ${tools.toLocaleString('en')} tools`,
    async start(cast) {
      const subject = await cast.gateway('modern', { tools, limits: { pageSize: PAGE } })
      const last = (page + 1) * PAGE - 1
      const job = { port: subject.port, era: 'modern', method: 'tools/list', page, has: `"bench__tool_${last}"` }
      return { subject, job }
    },
  }
}

function plainProxy(server, more = undefined) {
  return {
    name: 'plain proxy',
    async start(cast) {
      const subject = await cast.plainProxy(server)
      return { subject, job: { port: subject.port, era: server, method: 'tools/call', tool: 'bench__echo', more } }
    },
  }
}

function plainProxyList(tools) {
  return {
    name: 'plain proxy',
    share: 0.5,
    async start(cast) {
      const subject = await cast.plainProxy('modern', tools)
      const has = `"bench__tool_${tools - 1}"`
      return { subject, job: { port: subject.port, era: 'modern', method: 'tools/list', page: 0, has } }
    },
  }
}

/** Asked directly: what nobody between can be blamed for. */
function upstream(server) {
  return {
    name: 'upstream',
    async start(cast) {
      const subject = await cast.upstream(server)
      return { subject, job: { port: subject.port, era: server, method: 'tools/call', tool: 'echo' } }
    },
  }
}

function mcpProxy() {
  return {
    name: 'mcp-proxy',
    share: 0.25,
    async start(cast) {
      const subject = await cast.mcpProxy()
      if (subject === undefined) return undefined
      return { subject, job: { port: subject.port, era: 'legacy', method: 'tools/call', tool: 'echo' } }
    },
  }
}
