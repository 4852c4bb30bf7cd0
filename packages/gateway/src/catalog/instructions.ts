import type { Source } from './catalog.ts'

/**
 * The instructions of all servers under headings that say whose they are, since they speak of tools by the names
 * those have at home. Bounded: a server's text is cut, never another's left out for it.
 */
export function mergeInstructions(sources: readonly Source[], own: string | undefined): string | undefined {
  const sections = own === undefined ? [] : [own]
  for (const { destination, offer } of sources) {
    const text = offer?.instructions?.trim()
    if (text === undefined || text === '') continue
    const { name } = destination
    sections.push(`## ${name}\nTools and prompts of this server are named \`${name}__…\` here.\n\n${toCut(text)}`)
  }
  return sections.length === 0 ? undefined : toCut(sections.join('\n\n'), MAX_TOTAL)
}

function toCut(text: string, max = MAX_SECTION): string {
  return text.length <= max ? text : `${text.slice(0, max)}… (cut)`
}

const MAX_SECTION = 8_192
const MAX_TOTAL = 65_536
