import { constants } from 'node:fs'
import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A skill as it lay on disk: what `server.skills` takes. */
export interface SkillFolderOnDisk {
  /** From the folder that was read, parted by `/`. */
  readonly path: string
  /** By path from the skill's own folder. */
  readonly files: Readonly<Record<string, Uint8Array>>
}

/**
 * Reads every skill below a folder: every folder with a `SKILL.md` in it. A skill inside of a skill is one by itself,
 * and its files belong to the outer one too. Symbolic links are not followed, so nothing outside of the folder is ever
 * read; names that begin with a dot are left out. All of it is read now and held in memory: later changes on disk are
 * not seen.
 * @param folder a path, or a `file:` URL as `new URL('skills', import.meta.url)` gives it
 * @throws {Error} where there are more than 10,000 files or 256 MiB, or it is deeper than 16 folders
 */
export async function readSkillFolders(folder: string | URL): Promise<readonly SkillFolderOnDisk[]> {
  const root = typeof folder === 'string' ? folder : fileURLToPath(folder)
  const found = new Map<string, Uint8Array>()
  await collect(root, [], found, { bytes: 0 })
  return [...found.keys()]
    .filter((path) => path.endsWith(`/${MANIFEST}`))
    .map((path) => path.slice(0, -MANIFEST.length - 1))
    .sort()
    .map((path) => ({ path, files: Object.fromEntries(filesBelow(found, path)) }))
}

function filesBelow(found: ReadonlyMap<string, Uint8Array>, path: string): [string, Uint8Array][] {
  const inside = `${path}/`
  return [...found].flatMap(([file, bytes]) => (file.startsWith(inside) ? [[file.slice(inside.length), bytes]] : []))
}

async function collect(
  root: string,
  segments: readonly string[],
  found: Map<string, Uint8Array>,
  total: { bytes: number },
): Promise<void> {
  if (segments.length > MAX_DEPTH) throw new Error(`Cannot read skills deeper than ${MAX_DEPTH} folders: "${root}"`)
  const entries = await readdir(join(root, ...segments), { withFileTypes: true })
  for (const { name } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (name.startsWith('.')) continue
    const path = [...segments, name]
    const status = await lstat(join(root, ...path))
    if (status.isDirectory()) await collect(root, path, found, total)
    else if (status.isFile()) {
      total.bytes += status.size
      if (found.size >= MAX_FILES || total.bytes > MAX_BYTES) {
        throw new Error(`Cannot read all skills of "${root}": at most ${MAX_FILES} files and ${MAX_BYTES} bytes work`)
      }
      found.set(
        path.join('/'),
        await readFile(join(root, ...path), { flag: constants.O_RDONLY | constants.O_NOFOLLOW }),
      )
    }
  }
}

const MANIFEST = 'SKILL.md'
const MAX_DEPTH = 16
const MAX_FILES = 10_000
const MAX_BYTES = 256 * 1024 * 1024
