import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What goes wrong in one direction. Nothing set: bytes pass as they come. */
export interface Faults {
  /** Most bytes that pass at once, each piece in a write of its own. */
  readonly chunkBytes?: number
  /** Each piece passes so much later, in milliseconds. */
  readonly delayMs?: number
  readonly bytesPerSecond?: number
  /** Nothing passes before so many bytes are there, or the sender ends. */
  readonly mergeBytes?: number
  /** Everything is taken and nothing passes. */
  readonly swallow?: boolean
  /** Nothing is taken: the sender's window fills. */
  readonly blackhole?: boolean
  /** After so many bytes of the connection {@link Faults.cut} happens. */
  readonly cutAfterBytes?: number
  /** `reset` and `close` end the whole connection, `half-close` this direction. Default reset. */
  readonly cut?: 'reset' | 'close' | 'half-close'
}

/** How often a blackhole is looked at again, in milliseconds. */
const LOOK_MS = 5

export interface FaultPipeOptions {
  readonly from: Socket
  readonly to: Socket
  /** The faults now: asked before each piece. */
  readonly faults: () => Faults
  /** Ends the whole connection. */
  readonly end: (how: 'reset' | 'close') => void
}

/** Carries the bytes of one direction, with faults. */
export class FaultPipe {
  readonly #options: FaultPipeOptions
  #held: Buffer[] = []
  #heldBytes = 0
  #passedBytes = 0
  #isCut = false

  constructor(options: FaultPipeOptions) {
    this.#options = options
  }

  /** Resolves when the sender has ended, or the direction or the connection was cut. */
  async run(): Promise<void> {
    const { from, to, faults } = this.#options
    const chunks = from.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]()
    while (!this.#isCut) {
      while (faults().blackhole && !from.destroyed) await sleep(LOOK_MS)
      const next = await chunks.next()
      if (next.done) break
      this.#hold(next.value as Buffer)
      if (this.#heldBytes >= (faults().mergeBytes ?? 0)) await this.#pass()
    }
    if (this.#isCut) return
    await this.#pass()
    if (!this.#isCut) to.end()
  }

  #hold(chunk: Buffer): void {
    if (this.#options.faults().swallow) return
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
  }

  async #pass(): Promise<void> {
    const bytes = Buffer.concat(this.#held)
    this.#held = []
    this.#heldBytes = 0
    for (let at = 0; at < bytes.length && !this.#isCut; ) {
      const { chunkBytes = bytes.length } = this.#options.faults()
      const piece = bytes.subarray(at, at + Math.max(1, chunkBytes))
      at += piece.length
      await this.#passPiece(piece)
    }
  }

  async #passPiece(piece: Buffer): Promise<void> {
    const { delayMs = 0, bytesPerSecond } = this.#options.faults()
    const waitMs = delayMs + (bytesPerSecond ? (piece.length * 1_000) / bytesPerSecond : 0)
    if (waitMs > 0) await sleep(waitMs)
    const { cutAfterBytes = Number.POSITIVE_INFINITY, cut = 'reset' } = this.#options.faults()
    const left = Math.max(0, cutAfterBytes - this.#passedBytes)
    await this.#write(piece.subarray(0, left))
    if (piece.length < left) return
    this.#isCut = true
    if (cut === 'half-close') this.#options.to.end()
    else this.#options.end(cut)
  }

  #write(bytes: Buffer): Promise<void> {
    this.#passedBytes += bytes.length
    const { to } = this.#options
    if (bytes.length === 0 || !to.writable) return Promise.resolve()
    return new Promise((resolve) => {
      to.write(bytes, () => resolve())
    })
  }
}
