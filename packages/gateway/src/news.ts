import type { ConfigDiff } from './config/diff.ts'

/** Something of a gateway is not what it was; what it is now, the gateway says. */
export type GatewayNews =
  | { readonly kind: 'server'; readonly name: string }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'config'; readonly diff: ConfigDiff }
