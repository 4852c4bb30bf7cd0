import type { RouteConfig, RouteMemberConfig } from './model-routes.ts'
import type { WrittenConfig } from './schema.ts'

export function toRoutes({ routes }: WrittenConfig): ReadonlyMap<string, RouteConfig> {
  return new Map(
    Object.entries(routes).map(([name, { by, tools, hide, unchecked }]) => [
      name,
      { name, by, hide, unchecked, tools: tools.map(toMember) },
    ]),
  )
}

function toMember(written: WrittenConfig['routes'][string]['tools'][number]): RouteMemberConfig {
  if (typeof written === 'string') return { tool: written, cost: 1, weight: 1 }
  const { when, ...rest } = written
  return { ...rest, ...(when === undefined ? {} : { when }) }
}
