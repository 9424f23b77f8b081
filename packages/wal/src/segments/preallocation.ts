import { type Steps, writeFully } from '../disk/steps.js'
import type { DiskFile } from '../disk/disk.js'

/** Zeroes are written so many bytes at a time. */
export const FILL_CHUNK_BYTES = 1024 ** 2
const ZEROES = Buffer.alloc(FILL_CHUNK_BYTES)

/** Writes one chunk of zeroes at `from`, not beyond `to`; gives the position behind it. */
export function* fillChunk(file: DiskFile, from: number, to: number): Steps<number> {
  const length = Math.min(FILL_CHUNK_BYTES, to - from)
  if (length <= 0) return from
  yield* writeFully(file, [ZEROES.subarray(0, length)], from)
  return from + length
}

/**
 * Fills the rest of a segment that is in use already. Records are only written below `filledTo`, so that a
 * chunk on its way never meets one.
 */
export class Preallocation {
  readonly #handle: DiskFile
  readonly #fill: (steps: Steps<number>) => Promise<number>
  #target: number
  #filledTo: number
  #waiting: (() => void)[] = []
  #running: Promise<void> | undefined

  constructor(
    handle: DiskFile,
    range: { from: number; to: number },
    fill: (steps: Steps<number>) => Promise<number>,
  ) {
    this.#handle = handle
    this.#filledTo = range.from
    this.#target = range.to
    this.#fill = fill
  }

  /** Records may be written up to here. */
  get filledTo(): number {
    return this.#filledTo
  }

  /** Where filling ends: less than was wanted after it failed. */
  get target(): number {
    return this.#target
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Resolves when the file is filled up to `position`, or will not be. */
  async until(position: number): Promise<void> {
    while (this.#filledTo < position && position <= this.#target) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Ends filling; what is filled stays. */
  async stop(): Promise<void> {
    this.#target = this.#filledTo
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#filledTo < this.#target) {
      try {
        this.#filledTo = await this.#fill(fillChunk(this.#handle, this.#filledTo, this.#target))
      } catch {
        // The disk is full or fails: the segment ends here, and the next one will say why.
        this.#target = this.#filledTo
      }
      const waiting = this.#waiting
      this.#waiting = []
      for (const resolve of waiting) resolve()
    }
  }
}
