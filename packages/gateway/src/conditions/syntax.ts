/** The tree of an expression, as far as it is looked at and put right here: the library's own types leave that out. */
export interface Node {
  readonly op: string
  args: unknown
  readonly start: number
  readonly meta: { readonly alternate?: Node }
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}

/** Every node below, the node itself first. How deep a tree is was bounded when it was parsed. */
export function* nodesOf(node: Node): Generator<Node> {
  yield node
  for (const inner of childrenOf(node.args)) yield* nodesOf(inner)
}

/** What is joined by `&&` at the top. */
export function conjunctsOf(node: Node): readonly Node[] {
  if (node.op !== '&&') return [node]
  return childrenOf(node.args).flatMap(conjunctsOf)
}

/** Arguments are a node, or lists of nodes and texts within each other. */
function childrenOf(args: unknown): readonly Node[] {
  if (isNode(args)) return [args]
  return Array.isArray(args) ? args.flatMap(childrenOf) : []
}
