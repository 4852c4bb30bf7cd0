export type { Crossed, Crossing, CrossingOptions } from './bridge/crossing/crossing.ts'
export { createCrossing } from './bridge/crossing/crossing.ts'
export { isAboutTasks, noTask, taskTagOf, toTaskTag } from './bridge/crossing/task-ids.ts'
export { nodeOfState, nodeOfTask, toNodeName } from './bridge/parking/node-hint.ts'
export type { StateKey } from './bridge/parking/seal.ts'
export type { ParkingOptions } from './bridge/parking/settings.ts'
export { watchTask } from './bridge/task-watch.ts'
export type { ErrorCode, McpErrorOptions } from './errors.ts'
export { isRetryable, McpError, toHttpStatus, toRpcCode, toRpcError } from './errors.ts'
export type { Id, JsonObject, RpcError } from './jsonrpc/frame.ts'
export type { FrameLimits } from './jsonrpc/limits.ts'
export { CALLER_LIMITS, UPSTREAM_LIMITS } from './jsonrpc/limits.ts'
export { opened, withMember } from './jsonrpc/relayed.ts'
export { toJsonPieces } from './jsonrpc/written.ts'
export type { Clock, Timer, TimerOptions } from './peer/clock.ts'
export { systemClock } from './peer/clock.ts'
export type {
  Call,
  Downstream,
  Handle,
  Interceptor,
  Interim,
  Meta,
  Notification,
  Origin,
  Params,
  Principal,
  Result,
  Trace,
} from './protocol/call.ts'
export { ANONYMOUS, compose, NO_INTERIM } from './protocol/call.ts'
export type { Cancellation, CancelWatcher } from './protocol/cancellation.ts'
export { CancellationSource, cancellationOf } from './protocol/cancellation.ts'
export type { ClientCapabilities, Implementation, ServerCapabilities } from './protocol/capabilities.ts'
export { hasCapability } from './protocol/capabilities.ts'
export { SKILLS, TASKS, UI } from './protocol/extensions.ts'
export type {
  CreateMessageParams,
  CreateMessageResult,
  ElicitResult,
  InputRequiredResult,
  ListRootsResult,
  Root,
  SamplingMessage,
} from './protocol/features/asking.ts'
export type { DiscoverResult } from './protocol/features/base.ts'
export type { CompleteParams, CompleteResult } from './protocol/features/completion.ts'
export type { ContentBlock, ResourceContents, TextContent } from './protocol/features/content.ts'
export type { LogLevel, LogMessageParams } from './protocol/features/logging.ts'
export { isLogged, isLogLevel, LOG_LEVELS } from './protocol/features/logging.ts'
export type {
  GetPromptParams,
  GetPromptResult,
  ListPromptsResult,
  Prompt,
  PromptArgument,
  PromptMessage,
} from './protocol/features/prompts.ts'
export type {
  ListResourcesResult,
  ListResourceTemplatesResult,
  ReadResourceParams,
  ReadResourceResult,
  Resource,
  ResourceTemplate,
} from './protocol/features/resources.ts'
export type {
  GetSkillResult,
  ListSkillsResult,
  ReadDirectoryResult,
  Skill,
  SkillResource,
} from './protocol/features/skills.ts'
export type { ListenFilter, ListenParams } from './protocol/features/subscriptions.ts'
export type { CreateTaskResult, DetailedTask, Task, TaskStatus, TaskWish } from './protocol/features/tasks.ts'
export {
  hasTasks,
  isFinal,
  isTasksNeeded,
  NEEDS_TASKS,
  toTaskWish,
  withoutTaskWish,
} from './protocol/features/tasks.ts'
export type {
  CallToolParams,
  CallToolResult,
  ListToolsResult,
  Tool,
  ToolAnnotations,
} from './protocol/features/tools.ts'
export type { Icon } from './protocol/icons.ts'
export { toSafeIcons } from './protocol/icons.ts'
export { keep } from './protocol/kept.ts'
export type { NativeName } from './protocol/merged-names.ts'
export { MAX_MERGED_NAME, toMergedNames } from './protocol/merged-names.ts'
export type { MethodDescriptor } from './protocol/method.ts'
export type { MethodTypes } from './protocol/method-types.ts'
export { METHODS } from './protocol/methods.ts'
export type { MendedMirrors } from './protocol/mirrored-params.ts'
export { withoutInvalidMirrors } from './protocol/mirrored-params.ts'
export { closest, didYouMean, nearest } from './protocol/nearest.ts'
export { mayHoldResources, sizeOfResult } from './protocol/relayed-results.ts'
export { ETAG, IF_NONE_MATCH, LAST_MODIFIED, NOT_MODIFIED, REVISION } from './protocol/resource-version.ts'
export { hasTrail, toTrail, withTrail } from './protocol/trail.ts'
export type { UriValue, UriVariables, UriVariablesOf } from './protocol/uri-template/variables.ts'
export type { UriTemplate } from './protocol/uri-template.ts'
export { parseUriTemplate } from './protocol/uri-template.ts'
export type { RevisionName } from './revisions/index.ts'
export {
  ENVELOPE_REVISIONS,
  findRevision,
  HANDSHAKE_REVISIONS,
  NEWEST,
  NEWEST_HANDSHAKE,
  REVISIONS,
} from './revisions/index.ts'
export type { Revision, Traits } from './revisions/revision.ts'
