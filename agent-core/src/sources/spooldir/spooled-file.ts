import { type FileHandle, open } from 'node:fs/promises'
import { fstatSync } from 'node:fs'
import type { DeserializedEvents, EventDeserializer, InputFile } from '@millrace/component'
import { EventBatch } from '@millrace/event'
import { readAt } from '../../files/read-at.js'
import { PositionTracker } from './position-tracker.js'
import type { Candidate } from './spool-directory.js'

export interface SpooledFileOptions {
  readonly candidate: Candidate
  readonly trackerPath: string
  /** Offset where to begin. */
  readonly start: number
  readonly charset: string
  readonly decodeErrorPolicy: 'FAIL' | 'REPLACE' | 'IGNORE'
  readonly maxLineLength: number | undefined
  readonly createDeserializer: (input: InputFile) => EventDeserializer
  /** Headers for each event. */
  readonly headers: Readonly<Record<string, string>>
}

/** The file that is being read. A batch stays at hand until it is stored. */
export class SpooledFile {
  readonly candidate: Candidate
  readonly #options: SpooledFileOptions
  readonly #handle: FileHandle
  readonly #tracker: PositionTracker
  readonly #deserializer: EventDeserializer
  #batch: DeserializedEvents | undefined
  #isFirst: boolean

  private constructor(
    options: SpooledFileOptions,
    handle: FileHandle,
    tracker: PositionTracker,
    deserializer: EventDeserializer,
  ) {
    this.candidate = options.candidate
    this.#options = options
    this.#handle = handle
    this.#tracker = tracker
    this.#deserializer = deserializer
    this.#isFirst = options.start === 0
  }

  static async open(options: SpooledFileOptions): Promise<SpooledFile> {
    const { candidate, trackerPath, start, charset, decodeErrorPolicy } = options
    const file = candidate.path
    const handle = await open(file, 'r')
    try {
      const size = Number(candidate.stats.size)
      const input: InputFile = {
        path: file,
        size,
        start,
        charset,
        decodeErrorPolicy,
        maxLineLength: options.maxLineLength,
        // Not beyond the size that was seen: what comes later makes the file a changed one.
        read: async (into, offset) => {
          const wanted = Math.max(0, Math.min(into.length, size - offset))
          return (await readAt(handle, into.subarray(0, wanted), offset)).length
        },
      }
      const deserializer = options.createDeserializer(input)
      const tracker = await PositionTracker.create(trackerPath, { file, offset: start })
      return new SpooledFile(options, handle, tracker, deserializer)
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** Whether somebody wrote to it since it was found, or gave its name to another file. */
  get hasChanged(): boolean {
    const { stats } = this.candidate
    const now = fstatSync(this.#handle.fd, { bigint: true })
    return now.size !== stats.size || now.mtimeNs !== stats.mtimeNs || now.ino !== stats.ino
  }

  /**
   * The next events, the same ones until {@link SpooledFile.commit}; none at the end. As in Flume a
   * file without events is one event without a body.
   */
  async next(maxEvents: number): Promise<EventBatch> {
    if (!this.#batch) {
      const read = await this.#deserializer.read(maxEvents)
      const isEmptyFile = this.#isFirst && read.batch.size === 0
      const batch = isEmptyFile ? EventBatch.of([{}]) : read.batch
      this.#isFirst = false
      const edits = Object.entries(this.#options.headers).map(([name, value]) => ({ name, value }))
      this.#batch = { batch: batch.withHeaders(edits), position: read.position }
    }
    return this.#batch.batch
  }

  /** The events are stored. */
  async commit(): Promise<void> {
    const position = this.#batch?.position
    this.#batch = undefined
    if (position !== undefined) await this.#tracker.store(position)
  }

  /** It is done with: the tracker's file is not needed any more, or left as Flume leaves it. */
  async close(options: { readonly isTrackerKept: boolean }): Promise<void> {
    try {
      if (options.isTrackerKept) await this.#tracker.close()
      else await this.#tracker.remove()
    } finally {
      await this.#handle.close()
    }
  }
}
