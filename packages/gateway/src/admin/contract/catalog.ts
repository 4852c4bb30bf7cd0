import { z } from 'zod'
import { defineOperation } from './operation.ts'
import { count, cursor, limit, mapping, name, next, text, words } from './shapes.ts'

const tag = 'catalog'
const kind = z.enum(['tools', 'prompts', 'resources', 'templates', 'skills'])

const view = z
  .object({
    name: z.string().describe('Absent: the view of everything.').optional(),
    title: z.string().optional(),
    description: z.string().optional(),
    path: z.string().describe('Where it is served.'),
    servers: z.array(z.string()),
    counts: z.object({ tools: count, prompts: count, resources: count, templates: count, skills: count }),
  })
  .meta({ id: 'View' })

const item = z
  .object({
    kind,
    name: z.string().describe('As callers call it: a name, a URI or a template.'),
    server: z.string(),
    native: z.string().describe('As its server calls it.'),
    title: z.string().optional(),
    description: z.string().optional(),
  })
  .meta({ id: 'CatalogItem' })

/** Whose eyes are borrowed; without `as` everything is shown. */
const asCaller = {
  view: name.describe('Default: the view of everything.').optional(),
  as: name.describe('Only what this caller may use.').optional(),
  tenant: name.describe('Of `as`. Default `default`.').optional(),
  roles: words.describe('Of `as`, separated by commas.').optional(),
  scopes: words.describe('Of `as`, separated by commas. Absent: it is bound by none.').optional(),
}

export const listViews = defineOperation({
  tag,
  summary: 'The views, that of everything first',
  role: 'viewer',
  answer: z.object({ views: z.array(view) }),
})

export const searchCatalog = defineOperation({
  tag,
  summary: 'What is offered: in a view, to a caller, by words',
  role: 'viewer',
  query: z.strictObject({
    ...asCaller,
    kind: kind.describe('Default: all.').optional(),
    server: name.describe('Of this server only.').optional(),
    search: z.string().max(256).describe('In name, title or description, whatever the case.').optional(),
    limit: limit(1_000, 100),
    cursor,
  }),
  answer: z.object({ items: z.array(item), total: count, next }),
})

export const readCatalogItem = defineOperation({
  tag,
  summary: 'One thing, as callers are shown it',
  role: 'viewer',
  query: z.strictObject({ ...asCaller, kind, name: text.describe('As callers call it.') }),
  answer: item.extend({ definition: mapping.describe('The item of the list, schemas included.') }),
})
