import { defineMethod } from '../method.ts'

/** What a server may ask of the client behind a call: sampling, elicitation, roots. */

const request = { kind: 'request', from: 'server' } as const

export const createMessage = defineMethod({ ...request, name: 'sampling/createMessage', feature: 'sampling' })
export const elicit = defineMethod({ ...request, name: 'elicitation/create', feature: 'elicitation' })
export const listRoots = defineMethod({ ...request, name: 'roots/list', feature: 'roots' })
export const rootsListChanged = defineMethod({
  name: 'notifications/roots/list_changed',
  kind: 'notification',
  from: 'client',
  feature: 'roots',
})
export const elicitationComplete = defineMethod({
  name: 'notifications/elicitation/complete',
  kind: 'notification',
  from: 'server',
  feature: 'elicitation',
})
