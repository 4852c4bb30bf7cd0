/** The admin API: see `admin/`. */
export interface AdminConfig {
  /** Whether `crosspoint up` opens it. Default true. */
  readonly enabled: boolean
  /** Address to bind. Default `127.0.0.1`. */
  readonly host: string
  /** 0 takes any free port. Absent: 8361, or any free one where that is in use. */
  readonly port?: number
  /** What callers show. A secret. Absent: another one each start, and none where others can reach the address. */
  readonly token?: string
  /** Its public address, without a slash at the end. Default: where it listens. */
  readonly resource?: string
  /** Names that tokens may have for it besides its address. Default none. */
  readonly audience: readonly string[]
  readonly roles: AdminRoles
  /** `Host` header values accepted besides the loopback names. Default none. */
  readonly allowedHosts: readonly string[]
  /** `Origin` header values accepted besides our own on loopback. Default none. */
  readonly allowedOrigins: readonly string[]
}

/** Which roles of tokens may what here; who has several may most of it. Defaults: roles of these very names. */
export interface AdminRoles {
  /** Everything. */
  readonly admin: readonly string[]
  /** Read everything. */
  readonly auditor: readonly string[]
  /** Read everything but evidence. */
  readonly viewer: readonly string[]
}
