import type { ContentBlock, JsonObject, PromptMessage, ResourceContents } from '@crosspoint/mcp'
import { visible, visibleJson, visibleLines } from './visible.ts'

/** Content blocks for a reader: text as text, everything else as a line that says what it is. */
export function describeContent(blocks: readonly ContentBlock[]): string {
  return blocks.map(describeBlock).join('\n')
}

/** A tool result: its content, or the structured content where that is all there is. */
export function describeToolResult(result: JsonObject): string {
  const blocks = Array.isArray(result.content) ? (result.content as readonly ContentBlock[]) : []
  if (blocks.length > 0) return describeContent(blocks)
  return 'structuredContent' in result ? visibleJson(result.structuredContent, 2) : '(no content)'
}

export function describeResource(contents: readonly ResourceContents[]): string {
  return contents.map(describeContents).join('\n')
}

export function describePrompt(messages: readonly PromptMessage[]): string {
  return messages.map((message) => `${visible(String(message.role))}: ${describeBlock(message.content)}`).join('\n')
}

function describeBlock(block: ContentBlock): string {
  switch (block.type) {
    case 'text':
      return visibleLines(String(block.text))
    case 'image':
    case 'audio':
      return `[${block.type} ${visible(String(block.mimeType))}, ${sizeOf(String(block.data))}]`
    case 'resource':
      return describeContents(block.resource)
    case 'resource_link':
      return `[resource ${visible(String(block.uri))} ${visible(String(block.name))}]`
    default:
      return `[${visible(String((block as JsonObject).type))}] ${visibleJson(block)}`
  }
}

function describeContents(contents: ResourceContents): string {
  if (typeof contents.text === 'string') return visibleLines(contents.text)
  const kind = visible(contents.mimeType ?? 'application/octet-stream')
  return `[${visible(String(contents.uri))} ${kind}, ${sizeOf(contents.blob ?? '')}; --raw writes the bytes]`
}

/** Size of what base64 stands for. */
function sizeOf(base64: string): string {
  const bytes = Math.floor((base64.replace(/=+$/, '').length * 3) / 4)
  if (bytes < 1024) return `${bytes} B`
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
