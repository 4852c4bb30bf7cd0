import { constants, type Dirent } from 'node:fs'
import { type FileHandle, open, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A skill as it lay on disk: what `server.skills` takes. */
export interface SkillFolderOnDisk {
  /** From the folder that was read, parted by `/`. */
  readonly path: string
  /** By path from the skill's own folder. */
  readonly files: Readonly<Record<string, Uint8Array>>
}

/** How much of a disk may be read; what is more is refused. */
export interface SkillFolderLimits {
  /** Most names met on the way: folders, files, links and what begins with a dot. Default 20,000. */
  readonly maxEntries?: number
  /** Most files read. Default 10,000. */
  readonly maxFiles?: number
  /** Most bytes read. Default 256 MiB. */
  readonly maxBytes?: number
  /** Most folders inside of each other. Default 16. */
  readonly maxDepth?: number
}

/**
 * Reads every skill below a folder: every folder with a `SKILL.md` in it. A skill inside of a skill is one by itself,
 * and its files belong to the outer one too. Symbolic links are not followed, so nothing outside of the folder is ever
 * read; names that begin with a dot are left out. All of it is read now and held in memory: later changes on disk are
 * not seen.
 * @param folder a path, or a `file:` URL as `new URL('skills', import.meta.url)` gives it
 * @throws {Error} where there is more than the limits allow
 */
export async function readSkillFolders(
  folder: string | URL,
  limits: SkillFolderLimits = {},
): Promise<readonly SkillFolderOnDisk[]> {
  const root = typeof folder === 'string' ? folder : fileURLToPath(folder)
  const walk = new Walk(root, limits)
  await walk.collect([])
  const { found } = walk
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

/** One reading of a folder, and what it has cost so far. */
class Walk {
  readonly found = new Map<string, Uint8Array>()
  readonly #root: string
  readonly #limits: Required<SkillFolderLimits>
  #entries = 0
  #bytes = 0

  constructor(root: string, { maxEntries, maxFiles, maxBytes, maxDepth }: SkillFolderLimits) {
    this.#root = root
    this.#limits = {
      maxEntries: maxEntries ?? 20_000,
      maxFiles: maxFiles ?? 10_000,
      maxBytes: maxBytes ?? 256 * 1024 * 1024,
      maxDepth: maxDepth ?? 16,
    }
  }

  async collect(segments: readonly string[]): Promise<void> {
    this.#check('maxDepth', segments.length, 'folders inside of each other')
    for (const entry of await this.#list(segments)) {
      const path = [...segments, entry.name]
      if (entry.isDirectory()) await this.collect(path)
      else if (entry.isFile()) await this.#read(path)
    }
  }

  /** Name by name: a folder may hold more of them than fit into memory. */
  async #list(segments: readonly string[]): Promise<readonly Dirent[]> {
    const entries: Dirent[] = []
    for await (const entry of await opendir(join(this.#root, ...segments))) {
      this.#check('maxEntries', ++this.#entries, 'files and folders')
      if (!entry.name.startsWith('.')) entries.push(entry)
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** What was a file when it was listed may be something else by now, or grow while it is read. */
  async #read(path: readonly string[]): Promise<void> {
    const file = await open(join(this.#root, ...path), READ_NO_LINK)
    try {
      const status = await file.stat()
      if (!status.isFile()) return
      this.#check('maxFiles', this.found.size + 1, 'files')
      this.#bytes += status.size
      this.#check('maxBytes', this.#bytes, 'bytes')
      this.found.set(path.join('/'), await readBytes(file, status.size))
    } finally {
      await file.close()
    }
  }

  #check(limit: keyof SkillFolderLimits, count: number, what: string): void {
    const most = this.#limits[limit]
    if (count <= most) return
    throw new Error(`Cannot read all skills of "${this.#root}": at most ${most} ${what} work (${limit})`)
  }
}

async function readBytes(file: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = Buffer.alloc(size)
  let end = 0
  while (end < size) {
    const { bytesRead } = await file.read(bytes, end, size - end, end)
    if (bytesRead === 0) break
    end += bytesRead
  }
  return bytes.subarray(0, end)
}

const MANIFEST = 'SKILL.md'
/** A link is not opened, and nobody waits at a pipe for what is never written. */
const READ_NO_LINK = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
