/** The directories of a log: made if missing, and checked to be the ones that belong together. */
import { dirname } from 'node:path'
import { LogError } from '@millrace/runtime'
import type { Disk } from '../disk/disk.js'
import {
  closeFile,
  entryAt,
  listDirectory,
  makeDirectory,
  openFile,
  readFully,
  removeFile,
  renameFile,
  type Steps,
  syncDirectory,
  syncFile,
  writeFully,
} from '../disk/steps.js'
import {
  decodeIdentity,
  type DirectoryIdentity,
  encodeIdentity,
  IDENTITY_BYTES,
} from '../format/directory-identity.js'
import { flumeFileIn, IDENTITY_FILE, inDirectory, UNFINISHED } from '../layout.js'

/** @throws LogError `MILLRACE_LOG_FLUME_DATA` when a directory holds Apache Flume's channel. Changes nothing. */
export function* refuseFlume(disk: Disk, directories: readonly string[]): Steps<void> {
  for (const directory of directories) {
    if ((yield* entryAt(disk, directory)) === undefined) continue
    const name = flumeFileIn(yield* listDirectory(disk, directory))
    if (name === undefined) continue
    throw new LogError(
      'MILLRACE_LOG_FLUME_DATA',
      `${directory} holds a file channel of Apache Flume (${name}); nothing was changed. Drain it with Flume: run ` +
        'the Flume agent with this channel and its sinks but without sources until the channel is empty, stop it, ' +
        'and move its files away; or name other directories',
    )
  }
}

/**
 * Makes a directory with all that is missing above it, and makes its entry and those in it safe: who made them
 * may have been killed before they were.
 */
export function* ensureDirectory(disk: Disk, path: string): Steps<void> {
  const missing: string[] = []
  let at = path
  for (;;) {
    const entry = yield* entryAt(disk, at)
    if (entry && !entry.isDirectory) {
      throw new LogError('MILLRACE_LOG_DIRECTORY', `${at} is not a directory`)
    }
    if (entry || dirname(at) === at) break
    missing.push(at)
    at = dirname(at)
  }
  yield* syncAncestor(disk, dirname(at))
  for (const each of missing.toReversed()) {
    try {
      yield* makeDirectory(disk, each)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    yield* syncDirectory(disk, dirname(each))
  }
  yield* syncDirectory(disk, path)
}

function* syncAncestor(disk: Disk, path: string): Steps<void> {
  try {
    yield* syncDirectory(disk, path)
  } catch (error) {
    // Somebody else's: what may not be read can't be synced, and was not made by a log.
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error
  }
}

/** What a data directory says about itself; undefined when it says nothing. */
export function* readIdentity(disk: Disk, directory: string): Steps<DirectoryIdentity | undefined> {
  const path = inDirectory(directory, IDENTITY_FILE)
  if ((yield* entryAt(disk, path)) === undefined) return undefined
  const file = yield* openFile(disk, path, 'read')
  try {
    const bytes = Buffer.alloc(IDENTITY_BYTES)
    const length = yield* readFully(file, bytes, 0)
    return decodeIdentity(bytes.subarray(0, length), path)
  } finally {
    yield* closeFile(file)
  }
}

/** Writes the identity whole or not at all. */
export function* writeIdentity(
  disk: Disk,
  directory: string,
  identity: DirectoryIdentity,
): Steps<void> {
  const path = inDirectory(directory, IDENTITY_FILE)
  const unfinished = path + UNFINISHED
  if (yield* entryAt(disk, unfinished)) yield* removeFile(disk, unfinished)
  const file = yield* openFile(disk, unfinished, 'create')
  try {
    yield* writeFully(file, [encodeIdentity(identity)], 0)
    yield* syncFile(file)
  } finally {
    yield* closeFile(file)
  }
  yield* renameFile(disk, unfinished, path)
  yield* syncDirectory(disk, directory)
}
