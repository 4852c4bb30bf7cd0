import type { JsonObject } from '../jsonrpc/frame.ts'

/** The page that shows what a tool does (MCP Apps, SEP-1865): sent as `_meta.ui`. */
export interface ToolUi extends JsonObject {
  /** Of a resource of this server, with the scheme `ui:` and the type `text/html;profile=mcp-app`. */
  readonly resourceUri: string
  /** Who may call the tool: the model, the page, or both. Default: both. */
  readonly visibility?: readonly ('model' | 'app')[]
}

/** @throws {Error} for a page that is not at a `ui:` URI */
export function toUiMeta(name: string, ui: ToolUi, meta: JsonObject | undefined): JsonObject {
  if (/^ui:\/\/./.test(ui.resourceUri)) return { ...meta, ui }
  throw new Error(`Cannot register the tool "${name}": the URI of its page starts with "ui://", as in "ui://chart"`)
}
