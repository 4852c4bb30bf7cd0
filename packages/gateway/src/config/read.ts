import { readJson } from './read-json.ts'
import { readYaml } from './read-yaml.ts'
import { Reading } from './reading.ts'
import type { Tree } from './tree.ts'

export type ConfigFormat = 'yaml' | 'json'

/**
 * Text to tree. What is wrong with the text is in `reading.faults`; without a tree it could not be read at all,
 * or was empty.
 */
export function readTree(text: string, format: ConfigFormat): { tree: Tree | undefined; reading: Reading } {
  const reading = new Reading(text.startsWith('\uFEFF') ? text.slice(1) : text)
  const tree = format === 'json' ? readJson(reading) : readYaml(reading)
  return { tree, reading }
}
