import { homedir } from 'node:os'
import { join } from 'node:path'
import type { KeptSignIns, TokenStore } from '@crosspoint/auth'
import type { Io } from './io.ts'

/** Who wants in, as people are told. Tokens are kept under it: another name would not find them again. */
export const CLIENT_NAME = 'Crosspoint'

/** Where what `login` got is kept: readable by its owner alone. */
export function signInsFolder(env: Io['env']): string {
  const state =
    process.platform === 'win32' && env.LOCALAPPDATA
      ? env.LOCALAPPDATA
      : env.XDG_STATE_HOME || join(env.HOME || homedir(), '.local', 'state')
  return join(state, 'crosspoint', 'sign-ins')
}

export interface OpenSignIns {
  readonly kept: KeptSignIns
  readonly store: TokenStore
}

export async function openSignIns(io: Io): Promise<OpenSignIns> {
  const { createFileStore, keptSignIns } = await import('@crosspoint/auth/node')
  const store = createFileStore({ folder: signInsFolder(io.env) })
  return { kept: keptSignIns({ store, clientName: CLIENT_NAME }), store }
}
