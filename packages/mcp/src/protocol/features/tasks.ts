import { defineMethod } from '../method.ts'

/** Long work with a handle. Declared so that membership is exact; driven by the bridge of a later change. */

const request = { kind: 'request', from: 'both', feature: 'tasks', capability: 'tasks' } as const

export const getTask = defineMethod({ ...request, name: 'tasks/get', nameParam: 'taskId' })
export const taskResult = defineMethod({ ...request, name: 'tasks/result' })
export const listTasks = defineMethod({ ...request, name: 'tasks/list', listKey: 'tasks' })
export const cancelTask = defineMethod({ ...request, name: 'tasks/cancel', nameParam: 'taskId' })
export const taskStatus = defineMethod({
  name: 'notifications/tasks/status',
  kind: 'notification',
  from: 'both',
  feature: 'tasks',
  capability: 'tasks',
})
