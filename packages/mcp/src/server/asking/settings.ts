import { Pages } from '../../bridge/pages.ts'
import type { Parking } from '../../bridge/parking/rounds.ts'
import { createParking, type ParkingOptions } from '../../bridge/parking/settings.ts'
import type { Clock } from '../../peer/clock.ts'

/** How a server keeps what it has to remember between a question and its answer. */
export interface AskingOptions extends ParkingOptions {}

export interface AskingSettings extends Parking {
  readonly pages: Pages
}

/** @param audience the name of the server: its states are good for itself alone */
export function toAskingSettings(options: AskingOptions, audience: string, clock?: Clock): AskingSettings {
  return { ...createParking(options, audience, clock), pages: new Pages() }
}
