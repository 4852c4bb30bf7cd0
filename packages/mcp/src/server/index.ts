export type { StateKey } from '../bridge/parking/seal.ts'
export type { HandleOptions, Handles } from '../bridge/parking/states.ts'
export type { MethodTypes } from '../protocol/method-types.ts'
export type { AccessRule, Subject } from './access.ts'
export type { Asker, AskOptions, Elicited, ElicitOptions, VisitedPage } from './asking/asker.ts'
export type { RequiredPage } from './asking/errors.ts'
export { Declined, UnsuitedForm, UrlElicitationRequired } from './asking/errors.ts'
export type { AskingOptions } from './asking/settings.ts'
export type { CacheHint, CacheHints } from './cache-hints.ts'
export type { Completer, CompleterOutput, CompletionContext } from './completer.ts'
export type { Context } from './context.ts'
export type { ServerFetchHandler } from './fetch.ts'
export { toFetchHandler } from './fetch.ts'
export type { MethodDefinition, MethodHandler } from './methods.ts'
export type { CallOf, MethodPattern, Middleware, ResultOf } from './middleware.ts'
export type { Mountable } from './mount/mount.ts'
export type { ServerNodeHandler } from './node.ts'
export { toNodeHandler } from './node.ts'
export type { PromptOutput, PromptPart } from './prompt-result.ts'
export type { PromptTemplate, TemplateMessage } from './prompt-template.ts'
export type {
  PromptArgumentDefinition,
  PromptArguments,
  PromptDefinition,
  PromptHandler,
  PromptValues,
  TemplatedPrompt,
} from './prompts.ts'
export type { OwnContents, ReadContents, ReadOutput } from './read-result.ts'
export type { Registration } from './registry.ts'
export type { ResourceVersion } from './resource-version.ts'
export type {
  ReadHandler,
  ResourceDefinition,
  TemplateDefinition,
  TemplateReadHandler,
  TemplateVersion,
} from './resources.ts'
export type { Parsed, Schema } from './schema.ts'
export type { HttpServeOptions, ServeOptions, Serving, ServingAtUrl } from './serve.ts'
export { serve } from './serve.ts'
export type { Mounted, Server } from './server.ts'
export { createServer } from './server.ts'
export type { Feature, ServerOptions } from './settings.ts'
export type { SkillFiles, SkillFolder } from './skills/files.ts'
export type { SkillDefinition } from './skills/live-skill.ts'
export type { SkillRegistration } from './skills/register.ts'
export type { StandardSchema } from './standard-schema.ts'
export type { TaskDesk, TaskDeskOptions } from './tasks/desk.ts'
export { createTaskDesk } from './tasks/desk.ts'
export { createMemoryTaskStore } from './tasks/memory-store.ts'
export type { TaskRecord } from './tasks/record.ts'
export type { TaskOptions } from './tasks/settings.ts'
export type { TaskBounds, TaskPlace, TaskStore } from './tasks/store.ts'
export type { TaskLimits } from './tasks/tasks.ts'
export type { LaterWork, TaskSupport, ToolTasks } from './tasks/tool-tasks.ts'
export type { TemplateLister } from './template-lists.ts'
export type { ToolOutput } from './tool-result.ts'
export type { ToolDefinition, ToolHandler, ToolReturn } from './tools.ts'
export type { ToolUi } from './ui.ts'
