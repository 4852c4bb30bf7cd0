import type { Paint } from './style.ts'
import { visible } from './visible.ts'

export interface Cell {
  readonly text: string
  readonly paint?: Paint
}

/**
 * Aligns columns two spaces apart. Every cell is made {@link visible}; the last column is cut at the screen's edge
 * where there is a screen, and so is any other that would take more than half of it.
 * @param width columns of the terminal; undefined for a pipe, where nothing is cut
 */
export function toTable(rows: readonly (readonly (Cell | string)[])[], width: number | undefined): string {
  const half = width === undefined ? undefined : width >> 1
  const cells = rows.map((row) => row.map((cell, i) => toCell(cell, i === row.length - 1 ? undefined : half)))
  const widths: number[] = []
  for (const row of cells) {
    row.slice(0, -1).forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, textWidth(cell.text))
    })
  }
  return cells.map((row) => toLine(row, widths, width)).join('\n')
}

interface Shown {
  readonly text: string
  readonly paint: Paint | undefined
}

function toCell(cell: Cell | string, most: number | undefined): Shown {
  const { text, paint } = typeof cell === 'string' ? { text: cell, paint: undefined } : cell
  return { text: cut(visible(text), most), paint }
}

function toLine(row: readonly Shown[], widths: readonly number[], width: number | undefined): string {
  let line = ''
  let used = 0
  row.forEach((cell, i) => {
    const isLast = i === row.length - 1
    const text = isLast && width !== undefined ? cut(cell.text, Math.max(width - used, 8)) : cell.text
    const painted = cell.paint === undefined || text === '' ? text : cell.paint(text)
    const column = widths[i] ?? 0
    line += isLast ? painted : painted + ' '.repeat(Math.max(column - textWidth(text), 0) + 2)
    used += column + 2
  })
  return line.trimEnd()
}

function cut(text: string, most: number | undefined): string {
  if (most === undefined || textWidth(text) <= most) return text
  let kept = ''
  let used = 0
  for (const character of text) {
    used += characterWidth(character)
    if (used > most - 1) break
    kept += character
  }
  return `${kept}…`
}

export function textWidth(text: string): number {
  let width = 0
  for (const character of text) width += characterWidth(character)
  return width
}

/** Two columns for East Asian wide letters and emoji, none for marks that combine with the letter before. */
function characterWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x300) return 1
  if (/\p{Mn}|\u200c|\u200d|[\ufe00-\ufe0f]/u.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u
