/** Text that is HTML already. */
export interface Html {
  readonly html: string
}

/** HTML in which whatever is put is text, unless it is HTML. */
export function html(pieces: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  let text = pieces[0] ?? ''
  for (const [index, value] of values.entries()) text += toHtml(value) + (pieces[index + 1] ?? '')
  return { html: text }
}

function toHtml(value: string | Html | readonly Html[]): string {
  if (typeof value === 'string') return escapeHtml(value)
  return 'html' in value ? value.html : value.map(toHtml).join('')
}

/** What could not be seen is shown as a sign that something is there. */
function escapeHtml(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\ufffd').replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`)
}
