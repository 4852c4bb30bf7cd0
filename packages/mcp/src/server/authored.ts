import { UnsuitedForm } from './asking/errors.ts'

/**
 * The text of an error its author meant to be read: an `Error` (or a class of the author's own), or a thrown
 * string. Undefined for a slip of the program (`TypeError` and its kin) and for what the system reports
 * (`ECONNREFUSED …`), whose text may name files, addresses and insides.
 */
export function toAuthoredText(error: unknown): string | undefined {
  if (typeof error === 'string') return shortened(error)
  if (error instanceof UnsuitedForm) return error.told
  if (!(error instanceof Error) || error.message === '') return undefined
  if (SLIPS.some((slip) => error instanceof slip) || 'errno' in error || 'syscall' in error) return undefined
  return shortened(error.message)
}

function shortened(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
}

const SLIPS = [TypeError, RangeError, ReferenceError, SyntaxError, EvalError, URIError, AggregateError, DOMException]
const MAX_TEXT = 4096
