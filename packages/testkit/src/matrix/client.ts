import { openByEnvelope } from './by-envelope.ts'
import { openByHandshake } from './by-handshake.ts'
import type { MatrixClient, OpenWire } from './conversation.ts'
import type { Speaks } from './speaks.ts'
import { openTalk } from './talk.ts'

export async function openMatrixClient(speaks: Speaks, openWire: OpenWire): Promise<MatrixClient> {
  const talk = await openTalk(speaks, openWire)
  return speaks.shakesHands ? openByHandshake(talk) : openByEnvelope(talk)
}
