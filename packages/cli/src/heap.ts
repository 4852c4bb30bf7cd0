import { setFlagsFromString } from 'node:v8'

/**
 * Lets the heap of this process grow to four times what is in use before all of it is looked through again: the most that
 * V8 chooses by itself, which takes less for a heap as small as ours. It counts what answers take outside of the heap as
 * well, and so looked through everything every few large ones, at a third of what they cost (ADR 15). Its limit for the
 * heap, and that of a container, holds as before.
 */
export function letHeapGrow(): void {
  setFlagsFromString('--heap-growing-percent=300')
}
