/** Whether a path stands by itself, on any system. */
export function isAbsolutePath(path: string): boolean {
  return /^(?:[\\/]|[A-Za-z]:[\\/])/.test(path)
}

/** A path as seen from a folder. Only joins: `..` is left to the system, which knows about links. */
export function joinPath(folder: string, path: string): string {
  if (isAbsolutePath(path)) return path
  const plain = path.replace(/^(?:\.[\\/])+/, '')
  if (plain === '' || plain === '.') return folder
  return /[\\/]$/.test(folder) || folder === '' ? `${folder}${plain}` : `${folder}/${plain}`
}

/** Where a file is; empty for a bare name. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'), 0))
}
