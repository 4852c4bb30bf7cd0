import type { TrafficFigure } from '../../traffic/traffic.ts'
import type { AdminNeeds, Handlers } from '../needs.ts'

export function createTrafficHandlers({
  gateway,
}: AdminNeeds): Pick<Handlers, 'listLimits' | 'listFigures' | 'listCalls'> {
  return {
    listLimits: () => {
      const { door, limits, budgets, concurrency } = gateway.config.traffic
      const figures = gateway.traffic()
      const read = (name: string, limit: string) => countOf(figures, name, 'limit', limit)
      const toBound = (
        kind: 'limit' | 'budget',
        max: number,
        { name, per, match, windowMs, every, timezone }: (typeof limits)[number] | (typeof budgets)[number],
      ) => ({
        kind,
        name,
        per,
        ...(match === undefined ? {} : { match: { ...match } }),
        max,
        ...(windowMs === undefined ? {} : { windowMs }),
        ...(every === undefined ? {} : { every }),
        ...(timezone === undefined ? {} : { timezone }),
        passed: read('limit_passed', name),
        refused: read('limit_refused', name),
      })
      return {
        ...(door === undefined ? {} : { door: { ...door, refused: countOf(figures, 'door_refused') } }),
        limits: [
          ...limits.map((limit) => toBound('limit', limit.calls, limit)),
          ...budgets.map((budget) => toBound('budget', budget.cost, budget)),
        ],
        concurrency: concurrency.map(({ name, per, match, max, queue }) => ({
          name,
          per,
          ...(match === undefined ? {} : { match: { ...match } }),
          max,
          queue,
          inside: read('calls_inside', name),
          waiting: read('calls_waiting', name),
          shed: read('calls_shed', name),
        })),
        breakers: figures
          .filter(({ name }) => name === 'breaker_open')
          .map(({ labels: { upstream = '' }, value }) => ({
            server: upstream,
            open: value === 1,
            refused: countOf(figures, 'breaker_refused', 'upstream', upstream),
          })),
      }
    },
    listCalls: () => gateway.figures(),
    listFigures: () => ({ figures: gateway.traffic() }),
  }
}

function countOf(figures: readonly TrafficFigure[], name: string, label?: string, value?: string): number {
  const found = figures.find(
    (figure) => figure.name === name && (label === undefined || figure.labels[label] === value),
  )
  return found?.value ?? 0
}
