/**
 * One piece of code for both doors of the log: a generator that yields calls of a disk, which a driver makes
 * synchronously (a spool opened in a constructor) or asynchronously (a channel of an agent).
 */
import type { Disk, DiskEntry, DiskFile, OpenMode } from './disk.js'

/** One call of a disk in its two forms. */
export interface Step {
  readonly sync: () => unknown
  readonly async: () => Promise<unknown>
}

/** Work made of disk calls that gives a `T`. */
export type Steps<T> = Generator<Step, T, unknown>

/** Makes the calls synchronously. */
export function runSync<T>(steps: Steps<T>): T {
  let next = steps.next()
  while (!next.done) {
    let result: unknown
    try {
      result = next.value.sync()
    } catch (error) {
      next = steps.throw(error)
      continue
    }
    next = steps.next(result)
  }
  return next.value
}

/** Makes the calls one after the other, asynchronously; gives up between two of them when the signal says so. */
export async function runAsync<T>(steps: Steps<T>, signal?: AbortSignal): Promise<T> {
  let next = steps.next()
  while (!next.done) {
    let result: unknown
    try {
      signal?.throwIfAborted()
      result = await next.value.async()
    } catch (error) {
      next = steps.throw(error)
      continue
    }
    next = steps.next(result)
  }
  return next.value
}

function* step<T>(sync: () => T, async: () => Promise<T>): Steps<T> {
  return (yield { sync, async }) as T
}

export const openFile = (disk: Disk, path: string, mode: OpenMode): Steps<DiskFile> =>
  step(
    () => disk.openSync(path, mode),
    () => disk.open(path, mode),
  )

export const closeFile = (file: DiskFile): Steps<void> =>
  step(
    () => file.closeSync(),
    () => file.close(),
  )

export const listDirectory = (disk: Disk, path: string): Steps<string[]> =>
  step(
    () => disk.listSync(path),
    () => disk.list(path),
  )

export const entryAt = (disk: Disk, path: string): Steps<DiskEntry | undefined> =>
  step(
    () => disk.statSync(path),
    () => disk.stat(path),
  )

export const makeDirectory = (disk: Disk, path: string): Steps<void> =>
  step(
    () => disk.makeDirectorySync(path),
    () => disk.makeDirectory(path),
  )

export const renameFile = (disk: Disk, from: string, to: string): Steps<void> =>
  step(
    () => disk.renameSync(from, to),
    () => disk.rename(from, to),
  )

export const removeFile = (disk: Disk, path: string): Steps<void> =>
  step(
    () => disk.removeSync(path),
    () => disk.remove(path),
  )

export const syncDirectory = (disk: Disk, path: string): Steps<void> =>
  step(
    () => disk.syncDirectorySync(path),
    () => disk.syncDirectory(path),
  )

export const freeBytes = (disk: Disk, path: string): Steps<number> =>
  step(
    () => disk.freeBytesSync(path),
    () => disk.freeBytes(path),
  )

export const syncFile = (file: DiskFile): Steps<void> =>
  step(
    () => file.syncSync(),
    () => file.sync(),
  )

export const sizeOf = (file: DiskFile): Steps<number> =>
  step(
    () => file.sizeSync(),
    () => file.size(),
  )

/** Reads until `target` is full or the file ends; gives the number of bytes read. */
export function* readFully(file: DiskFile, target: Uint8Array, position: number): Steps<number> {
  let done = 0
  while (done < target.length) {
    const rest = target.subarray(done)
    const at = position + done
    const count = yield* step(
      () => file.readSync(rest, at),
      () => file.read(rest, at),
    )
    if (count === 0) break
    done += count
  }
  return done
}

/** Writes all of the buffers, however short the single writes are. */
export function* writeFully(
  file: DiskFile,
  buffers: readonly Uint8Array[],
  position: number,
): Steps<void> {
  let rest = buffers
  let at = position
  while (rest.length > 0) {
    const now = rest
    const from = at
    const count = yield* step(
      () => file.writeSync(now, from),
      () => file.write(now, from),
    )
    rest = behind(rest, count)
    at += count
  }
}

/** What is left of the buffers behind their first `count` bytes. */
export function behind(buffers: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  if (count <= 0) throw Object.assign(new Error('EIO: nothing was written'), { code: 'EIO' })
  let left = count
  for (let i = 0; i < buffers.length; i += 1) {
    const buffer = buffers[i] as Uint8Array
    if (left < buffer.length) return [buffer.subarray(left), ...buffers.slice(i + 1)]
    left -= buffer.length
  }
  return []
}
