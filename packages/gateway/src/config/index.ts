export { CONFIG_NAMES, findConfig, type LoadOptions, loadConfig } from '../node/config-file.ts'
export { type ConfigChange, type ConfigWatch, type WatchOptions, watchConfig } from '../node/watch.ts'
export { childEnvironment, INHERITED_ENV } from './child-environment.ts'
export { ConfigError, type ConfigIssue, formatIssue } from './config-error.ts'
export { type ConfigDiff, diffConfig } from './diff.ts'
export { type ExplainedSetting, explainConfig } from './explain.ts'
export { toJsonSchema } from './json-schema.ts'
export type {
  GatewayConfig,
  HttpTransportConfig,
  LimitsConfig,
  ListenConfig,
  LogConfig,
  LogThreshold,
  RestartConfig,
  Selection,
  ServerConfig,
  SseTransportConfig,
  StdioTransportConfig,
  TimeoutsConfig,
  TransportConfig,
  ViewConfig,
} from './model.ts'
export type { AdminConfig, AdminRoles } from './model-admin.ts'
export type { AuditConfig, AuditContent } from './model-audit.ts'
export type { AuthConfig, IssuerConfig, KeysConfig, LocalPrincipalConfig, TokensConfig } from './model-auth.ts'
export type { AuthServerConfig } from './model-auth-server.ts'
export type { Covered, Effect, PolicyConfig, RoleAssignment, RuleConfig } from './model-policy.ts'
export type { Balance, ReplicaConfig, ReplicasConfig, Sticky } from './model-replicas.ts'
export type { RouteConfig, RouteMemberConfig, RouteOrder } from './model-routes.ts'
export type {
  ClientConfig,
  ClientCredentialsConfig,
  DiscoveryConfig,
  ExchangeConfig,
  OAuthConfig,
  SecretConfig,
  ServerAuthConfig,
  VaultConfig,
} from './model-secrets.ts'
export type { StoreConfig } from './model-store.ts'
export type { ConfigFlag } from './overrides.ts'
export { type LoadedConfig, type ParseOptions, parseConfig } from './parse.ts'
export { type PolicyCase, parsePolicyCases } from './policy-cases.ts'
export type { ConfigFormat } from './read.ts'
export { toSelector } from './selection.ts'
