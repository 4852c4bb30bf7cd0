import type { UpstreamState } from '../state.ts'
import type { Replica } from './replica.ts'

/** How a server is doing by how its replicas are: it is there as long as one is, and says which are not. */
export function toCommonState(replicas: readonly Pick<Replica, 'name' | 'upstream' | 'differs'>[]): UpstreamState {
  const states = replicas.map(({ upstream }) => upstream.state)
  const up = states.find(({ kind }) => kind === 'ready') ?? states.find(({ kind }) => kind === 'degraded')
  if (up?.kind !== 'ready' && up?.kind !== 'degraded')
    return states.find(isUnderWay) ?? states[0] ?? { kind: 'stopped' }
  const problems = replicas.flatMap(({ name, upstream: { state }, differs }) => [
    ...(isAway(state) ? [`${name} is away (${state.kind})`] : []),
    ...(state.kind === 'degraded' ? [`${name}: ${state.reason}`] : []),
    ...(differs.length === 0 ? [] : [`${name} offers something else: ${differs.join(', ')}`]),
  ])
  if (problems.length === 0) return up
  return { kind: 'degraded', failures: up.failures, upAt: up.upAt, reason: problems.join('; ') }
}

/** One that starts for the first time is no trouble yet. */
function isAway(state: UpstreamState): boolean {
  if (state.kind === 'starting') return state.reason !== undefined
  return state.kind === 'backing-off' || state.kind === 'needs-sign-in' || state.kind === 'failed'
}

function isUnderWay({ kind }: UpstreamState): boolean {
  return kind === 'starting'
}
