/** How a server is reached. */
export type TransportConfig = StdioTransportConfig | HttpTransportConfig | SseTransportConfig

export interface StdioTransportConfig {
  readonly kind: 'stdio'
  readonly command: string
  readonly args: readonly string[]
  /** Set for the child, over what it inherits. Values may be secrets, and hold marks of such. */
  readonly env: Readonly<Record<string, string>>
  /** Absolute. Default: the folder of the configuration file. */
  readonly cwd: string
  /** Names of variables the child inherits besides the default ones (`INHERITED_ENV`). Default none. */
  readonly inheritEnv: readonly string[]
}

export interface HttpTransportConfig {
  readonly kind: 'http'
  readonly url: string
  /** Sent with every request to this origin. Values may be secrets, and hold marks of such. */
  readonly headers: Readonly<Record<string, string>>
}

/** The transport of the oldest revision, and no other: `http` finds out which of the two a server has. */
export interface SseTransportConfig {
  readonly kind: 'sse'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}
