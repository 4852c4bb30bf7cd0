import type { TransportConfig } from './model.ts'
import type { ReplicaConfig, ReplicasConfig } from './model-replicas.ts'
import type { WrittenServer } from './schema.ts'

/** The replicas of a server; undefined for a server with one address. */
export function toReplicas(server: WrittenServer, first: TransportConfig): ReplicasConfig | undefined {
  const members = first.kind === 'stdio' ? toProcesses(server, first) : toAddresses(server, first)
  return members.length < 2 ? undefined : { ...server.replicas, members }
}

/** The addresses of a remote server, in the order of the file; none of one that is started here. */
export function allUrls({ url, urls = [] }: Pick<WrittenServer, 'url' | 'urls'>): readonly string[] {
  const several = urls.map((written) => (typeof written === 'string' ? written : written.url))
  return url === undefined ? several : [url, ...several]
}

function toProcesses({ instances = 1 }: WrittenServer, transport: TransportConfig): readonly ReplicaConfig[] {
  return Array.from({ length: instances }, (_, at) => ({ name: `#${at + 1}`, transport, weight: 1 }))
}

function toAddresses({ urls = [] }: WrittenServer, transport: Exclude<TransportConfig, { kind: 'stdio' }>) {
  const addresses = urls.map((written) => (typeof written === 'string' ? { url: written, weight: 1 } : written))
  const names = addresses.map(({ url }) => toHost(url))
  return addresses.map(({ url, weight }, at): ReplicaConfig => {
    const name = names[at] ?? ''
    const isAlone = names.filter((other) => other === name).length === 1
    return { name: isAlone ? name : `${name}#${at + 1}`, transport: { ...transport, url }, weight }
  })
}

/** The rest of a URL may hold a secret. */
function toHost(url: string): string {
  const host = URL.canParse(url) ? new URL(url).host : ''
  return host === '' ? 'socket' : host
}
