/**
 * Where two texts differ, line by line: lines only expected begin with `-`, lines only found with `+`, and three
 * lines around each place are shown. Undefined where they are the same but for the ends of lines and of the text.
 */
export function toDifference(expected: string, found: string): string | undefined {
  const before = toLines(expected)
  const after = toLines(found)
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  if (start === before.length && start === after.length) return undefined
  let end = 0
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  ) {
    end++
  }
  const lines = [
    ...before.slice(0, start).map((line) => `  ${line}`),
    ...changed(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map((line) => `  ${line}`),
  ]
  return withContext(lines)
}

function toLines(text: string): readonly string[] {
  return text.replace(/\r\n?/g, '\n').trimEnd().split('\n')
}

/** The longest lines in common stay; texts too long for that are shown one after the other. */
function changed(before: readonly string[], after: readonly string[]): readonly string[] {
  if (before.length * after.length > MAX_CELLS) {
    return [...before.map((line) => `- ${line}`), ...after.map((line) => `+ ${line}`)]
  }
  const width = after.length + 1
  const common = new Uint32Array((before.length + 1) * width) // of what follows each pair of places
  const at = (i: number, j: number) => common[i * width + j] ?? 0
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      common[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const lines: string[] = []
  let i = 0
  let j = 0
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push(`  ${before[i]}`)
      i++
      j++
    } else if (j === after.length || (i < before.length && at(i + 1, j) >= at(i, j + 1))) {
      lines.push(`- ${before[i++]}`)
    } else lines.push(`+ ${after[j++]}`)
  }
  return lines
}

/** What is far from every change is left out. */
function withContext(lines: readonly string[]): string {
  const near = new Set<number>()
  for (const [at, line] of lines.entries()) {
    if (line.startsWith('  ')) continue
    for (let beside = at - CONTEXT; beside <= at + CONTEXT; beside++) near.add(beside)
  }
  const shown: string[] = []
  let gap = false
  for (const [at, line] of lines.entries()) {
    if (near.has(at)) shown.push(line)
    else if (!gap) shown.push('  …')
    gap = !near.has(at)
  }
  return shown.join('\n')
}

const CONTEXT = 3
const MAX_CELLS = 4_000_000
