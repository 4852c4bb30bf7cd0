/** Where things are. Clients of the first revision with authorization know three of them by heart. */
export const PATHS = {
  authorize: '/authorize',
  token: '/token',
  register: '/register',
  revoke: '/revoke',
  keys: '/jwks',
  device: '/device',
  deviceAuthorize: '/device/authorize',
  interaction: '/interaction',
  callback: '/login/callback',
  metadata: '/.well-known/oauth-authorization-server',
  openid: '/.well-known/openid-configuration',
} as const

/** Whether a path is one of the authorization server. */
export function isOurs(path: string): boolean {
  return ALL.has(path) || BELOW.some((root) => path.startsWith(`${root}/`))
}

const ALL: ReadonlySet<string> = new Set(Object.values(PATHS))
const BELOW = [PATHS.authorize, PATHS.device, PATHS.interaction]
