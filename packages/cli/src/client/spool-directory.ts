import { access, readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** What the name of a file that was sent ends in. */
export const COMPLETED_SUFFIX = '.COMPLETED'

/** The files of a directory that are still to be sent, the oldest first; hidden ones are left alone. */
export async function filesToSend(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .filter((name) => !name.startsWith('.') && !name.endsWith(COMPLETED_SUFFIX))
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name)
      return { path, modifiedMs: (await stat(path)).mtimeMs }
    }),
  )
  files.sort((a, b) => a.modifiedMs - b.modifiedMs || (a.path < b.path ? -1 : 1))
  return files.map((file) => file.path)
}

/**
 * Marks a file as sent.
 * @throws Error when that would replace another file.
 */
export async function markCompleted(path: string): Promise<void> {
  const target = path + COMPLETED_SUFFIX
  if (await exists(target)) throw new Error(`${target} is there already; ${path} was sent`)
  await rename(path, target)
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
