import * as asking from './features/asking.ts'
import * as base from './features/base.ts'
import * as completion from './features/completion.ts'
import * as logging from './features/logging.ts'
import * as prompts from './features/prompts.ts'
import * as resources from './features/resources.ts'
import * as skills from './features/skills.ts'
import * as subscriptions from './features/subscriptions.ts'
import * as tasks from './features/tasks.ts'
import * as tools from './features/tools.ts'
import type { MethodDescriptor } from './method.ts'

/** Every method of every revision. Which revision has which is said in `revisions/`. */
const descriptors: readonly MethodDescriptor[] = [
  base.initialize,
  base.initialized,
  base.ping,
  base.discover,
  base.cancelled,
  base.progress,
  tools.listTools,
  tools.callTool,
  tools.toolsListChanged,
  resources.listResources,
  resources.listResourceTemplates,
  resources.readResource,
  resources.subscribeResource,
  resources.unsubscribeResource,
  resources.resourceUpdated,
  resources.resourcesListChanged,
  prompts.listPrompts,
  prompts.getPrompt,
  prompts.promptsListChanged,
  completion.complete,
  logging.setLevel,
  logging.logMessage,
  subscriptions.listen,
  subscriptions.acknowledged,
  asking.createMessage,
  asking.elicit,
  asking.listRoots,
  asking.rootsListChanged,
  asking.elicitationComplete,
  skills.listSkills,
  skills.getSkill,
  skills.readDirectory,
  tasks.getTask,
  tasks.updateTask,
  tasks.cancelTask,
  tasks.taskResult,
  tasks.listTasks,
  tasks.taskChanged,
  tasks.taskStatus,
]

export const METHODS: ReadonlyMap<string, MethodDescriptor> = new Map(descriptors.map((d) => [d.name, d]))
