import { explainPipeline, PIPELINE } from '@crosspoint/gateway'
import type { ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'

/** Prints the places every call passes, in order. */
export async function pipeline({ terminal }: Io): Promise<ExitKind> {
  if (!terminal.json) terminal.data(explainPipeline().trimEnd())
  else {
    const places = PIPELINE.map(({ name, does, because, create }) => ({
      name,
      does,
      because,
      inForce: create !== undefined,
    }))
    terminal.value({ pipeline: places })
  }
  return 'ok'
}
