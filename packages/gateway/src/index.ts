export type { ConfigurationFile } from './admin/needs.ts'
export { parseAnchor } from './audit/checkpoint.ts'
export { searchAll, toJsonLine, toOtlpLogs } from './audit/export.ts'
export type { AuditEvent } from './audit/record.ts'
export { type RecordOnceOptions, recordOnce } from './audit/record-once.ts'
export { type ChainReport, type Finding, type Tampering, type VerifyOptions, verifyAudit } from './audit/verify.ts'
export {
  changePassword,
  createAccount,
  listAccounts,
  type NewAccount,
  removeAccount,
} from './authserver/accounts.ts'
export { type Agreed, listAgreed, revokeAgreed, rotateTokenKeys } from './authserver/agreed.ts'
export type { Cluster } from './cluster/cluster.ts'
export { type OpenClusterOptions, type OpenedCluster, openCluster } from './cluster/open.ts'
export type { ConfigDiff } from './config/diff.ts'
export {
  type BrowserOptions,
  type CredentialBook,
  type CredentialBookOptions,
  type KeptCredential,
  openCredentialBook,
} from './credentials/book.ts'
export type { PageRequest, WhoIs } from './credentials/connect/desk.ts'
export type { PageReply } from './credentials/connect/pages.ts'
export { CredentialError, type CredentialErrorCode } from './credentials/credential-error.ts'
export type { CredentialOwner } from './credentials/sealed-tokens.ts'
export { type ExplainedFeature, explainPairing } from './explain/pairing.ts'
export { type ExplainedTool, explainTools, type ListedTools } from './explain/tools.ts'
export { type AdminDoor, type AdminDoorOptions, openAdminDoor } from './front/admin-door.ts'
export type { ClientDoor, ClientId, ClientSnippet } from './front/client-snippets.ts'
export { toClientSnippets } from './front/client-snippets.ts'
export type { FrontDoor, FrontDoorOptions } from './front/door.ts'
export { openFrontDoor } from './front/door.ts'
export type { Gateway, GatewayOptions } from './gateway.ts'
export { createGateway } from './gateway.ts'
export {
  createKey,
  listKeys,
  type MadeKey,
  type NewKey,
  revokeKey,
  rotateKey,
  toKeyId,
} from './identity/key-records.ts'
export { isNobody } from './identity/nobody.ts'
export type { Log, LogDetails, Recorder } from './log.ts'
export { SILENT } from './log.ts'
export { createLogTap, type LogTap } from './log-tap.ts'
export type { GatewayNews } from './news.ts'
export { type AdminPass, adminPassPath, findAdminPass, leaveAdminPass } from './node/admin-pass.ts'
export { type AuditKey, AuditKeyError, defaultKeyFile, openAuditKey, toVerifiers } from './node/audit-key.ts'
export { createLog, type ProcessLog } from './node/log.ts'
export { SecretFileError } from './node/secret-file.ts'
export { explainPipeline, PIPELINE, type Place, toPipelineMarkdown } from './pipeline/pipeline.ts'
export type { Decision } from './policy/decision.ts'
export type { ExplainedRule, PolicyExplanation, PolicyQuestion } from './policy/explain.ts'
export { isAway, type UpstreamStatus } from './status.ts'
export type { AccountRecord } from './stores/contract/account-store.ts'
export type { AuditIndex, AuditQuery, AuditRow, AuditStore, Checkpoint } from './stores/contract/audit-store.ts'
export type { CounterStore, KeptCount } from './stores/contract/counter-store.ts'
export type { KeyRecord, KeyStore } from './stores/contract/key-store.ts'
export type { Store } from './stores/contract/store.ts'
export { StoreError, type StoreErrorCode } from './stores/contract/store-error.ts'
export { createLazyStore, type LazyStore } from './stores/lazy-store.ts'
export { type OpenStoreOptions, openStore } from './stores/open.ts'
export {
  type CommandOptions,
  openRedis,
  type RedisArgument,
  type RedisConnection,
  type RedisOptions,
  type RedisScript,
} from './stores/redis/connection.ts'
export type {
  CallFigures,
  GatewayFigures,
  LatencyFigures,
  MethodFigures,
  ToolFigures,
} from './telemetry/figures.ts'
export type { Charge, Counters, Taken } from './traffic/counters.ts'
export type { TrafficFigure } from './traffic/traffic.ts'
export { RELAYED } from './upstreams/context.ts'
export type { ReplicaStatus } from './upstreams/replicas/replica.ts'
export type { UpstreamState } from './upstreams/state.ts'
