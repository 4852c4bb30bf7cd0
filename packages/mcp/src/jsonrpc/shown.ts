/** Text of a peer inside our own messages: short, well formed, and without control or formatting characters. */
export function shown(text: string): string {
  const start = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
  return start.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\uFFFD')
}

const MAX_SHOWN = 80
