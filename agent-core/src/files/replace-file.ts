import { open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What the new file is called until it takes its place. */
const SUFFIX = '.new'

/**
 * Gives a file new contents, as a whole: whoever reads it, also after a crash at any moment, finds
 * the old contents or the new ones. Resolves when the disk has them.
 */
export async function replaceFile(path: string, contents: string | Uint8Array): Promise<void> {
  const draft = path + SUFFIX
  try {
    const file = await open(draft, 'w')
    try {
      await file.writeFile(contents)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await unlink(draft).catch(() => undefined)
    throw error
  }
  await syncDirectory(dirname(path))
}

/** Has the disk keep the names of a directory. Where a directory cannot be opened (Windows) it need not be. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
