/**
 * `cursors.wal`: two slots, written in turn, so that a torn write leaves the other one. It is the witness of how
 * far the log was safe, and says who owns it.
 */
import type { Disk, DiskFile } from '../disk/disk.js'
import {
  openFile,
  readFully,
  type Steps,
  syncDirectory,
  syncFile,
  writeFully,
} from '../disk/steps.js'
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  generationOf,
  SLOT_BYTES,
  SLOT_START_BYTES,
  SLOTS,
} from '../format/checkpoint.js'
import { CHECKPOINT_FILE, inDirectory } from '../layout.js'

export class CheckpointFile {
  readonly #handle: DiskFile
  /** Of the last checkpoint. */
  #generation: number

  constructor(handle: DiskFile, generation: number) {
    this.#handle = handle
    this.#generation = generation
  }

  /** Opens the file of a directory, or makes it, with both slots empty. */
  static *open(disk: Disk, directory: string, generation: number): Steps<CheckpointFile> {
    const path = inDirectory(directory, CHECKPOINT_FILE)
    let handle: DiskFile
    try {
      handle = yield* openFile(disk, path, 'write')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      handle = yield* openFile(disk, path, 'create')
      yield* writeFully(handle, [Buffer.alloc(SLOTS * SLOT_BYTES)], 0)
      yield* syncFile(handle)
      yield* syncDirectory(disk, directory)
    }
    return new CheckpointFile(handle, generation)
  }

  /** The younger of the valid slots. */
  static *read(disk: Disk, directory: string): Steps<Checkpoint | undefined> {
    const path = inDirectory(directory, CHECKPOINT_FILE)
    let handle: DiskFile
    try {
      handle = yield* openFile(disk, path, 'read')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    try {
      return yield* youngest(handle)
    } finally {
      handle.closeSync()
    }
  }

  /**
   * Whether another process took the log over: a slot is there that is younger than the last one written here,
   * and is not what stays of a write of `ownerId` that failed.
   */
  *isOvertaken(ownerId: string): Steps<boolean> {
    for (let index = 0; index < SLOTS; index += 1) {
      const start = Buffer.alloc(SLOT_START_BYTES)
      yield* readFully(this.#handle, start, index * SLOT_BYTES)
      if (generationOf(start) <= this.#generation) continue
      const found = yield* youngest(this.#handle)
      return found !== undefined && found.generation > this.#generation && found.ownerId !== ownerId
    }
    return false
  }

  /** Writes the slot whose turn it is, and resolves when it is safe. */
  *write(checkpoint: Omit<Checkpoint, 'generation'>): Steps<void> {
    const generation = this.#generation + 1
    const slot = encodeCheckpoint({ ...checkpoint, generation })
    // A failed write may have damaged the slot: the next one goes to the same place, never over the good one.
    yield* writeFully(this.#handle, [slot], (generation % SLOTS) * SLOT_BYTES)
    yield* syncFile(this.#handle)
    this.#generation = generation
  }

  closeSync(): void {
    this.#handle.closeSync()
  }
}

function* youngest(handle: DiskFile): Steps<Checkpoint | undefined> {
  let found: Checkpoint | undefined
  const bytes = Buffer.alloc(SLOTS * SLOT_BYTES)
  const length = yield* readFully(handle, bytes, 0)
  for (let index = 0; index < SLOTS; index += 1) {
    const end = Math.min((index + 1) * SLOT_BYTES, length)
    const slot = bytes.subarray(Math.min(index * SLOT_BYTES, end), end)
    const checkpoint = decodeCheckpoint(slot, handle.path)
    if (checkpoint && (!found || checkpoint.generation > found.generation)) found = checkpoint
  }
  return found
}
