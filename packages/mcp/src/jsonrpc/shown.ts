/** Text of a peer inside our own messages: short, and without control or formatting characters. */
export function shown(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}]/gu, '\uFFFD')
  return clean.length > MAX_SHOWN ? `${clean.slice(0, MAX_SHOWN)}…` : clean
}

const MAX_SHOWN = 80
