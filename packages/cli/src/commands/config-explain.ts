import { type ExplainedSetting, explainConfig } from '@crosspoint/gateway/config'
import { locateConfig, readConfig } from '../configuration.ts'
import type { ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { CommonOptions } from '../options.ts'
import { toTable } from '../print/table.ts'

/** Prints every setting in force and where it comes from. Secrets are masked before they get here. */
export async function configExplain(io: Io, file: string | undefined, options: CommonOptions): Promise<ExitKind> {
  const path = file ?? (await locateConfig(io, options))
  const settings = explainConfig(readConfig(io, path))
  const { terminal } = io
  if (terminal.json) terminal.value({ file: path, settings })
  else {
    const { bold, dim } = terminal.out
    const rows = settings.map((setting) => [
      { text: setting.path, paint: bold },
      toText(setting.value),
      { text: toOrigin(setting), paint: dim },
    ])
    terminal.data(toTable(rows, terminal.width))
  }
  return 'ok'
}

function toText(value: ExplainedSetting['value']): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function toOrigin({ source, place, writtenAs }: ExplainedSetting): string {
  const as = writtenAs === undefined ? '' : `, written as ${writtenAs}`
  return place === undefined ? source : `${source}: ${place}${as}`
}
