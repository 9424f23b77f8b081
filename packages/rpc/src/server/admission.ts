/** A connection as the admission sees it. */
export interface Holder {
  /** Whether it is in the middle of a frame. */
  readonly isInsideFrame: boolean
  pauseForMemory(): void
  resumeForMemory(): void
}

/**
 * Bounds what all connections hold together: unfinished frames, and calls without an answer. Over the
 * limit every connection that still sends is paused, and goes on when answers have made room.
 *
 * Unfinished frames alone could fill the limit, and none would ever end if all were paused. So while
 * no call is on its way, one connection goes on until its frame is complete: memory stays below the
 * limit plus one frame plus one chunk for each connection.
 */
export class Admission {
  readonly #maxBytes: number
  readonly #waiting = new Set<Holder>()
  #exempt: Holder | undefined
  #callBytes = 0
  #partialBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get heldBytes(): number {
    return this.#callBytes + this.#partialBytes
  }

  callBegan(bytes: number): void {
    this.#callBytes += bytes
  }

  callEnded(bytes: number): void {
    this.#callBytes -= bytes
    if (this.#waiting.size > 0) this.#balance()
  }

  /** An unfinished frame grew, or (negative) went over into a call. */
  partialChanged(bytes: number): void {
    this.#partialBytes += bytes
  }

  /** To be called after each chunk: pauses the connection if there is too much. */
  review(holder: Holder): void {
    if (holder === this.#exempt && !holder.isInsideFrame) this.#exempt = undefined
    if (this.heldBytes <= this.#maxBytes || holder === this.#exempt) return
    this.#waiting.add(holder)
    holder.pauseForMemory()
    this.#balance()
  }

  /** The connection is gone; what it held has been taken off already. */
  forget(holder: Holder): void {
    this.#waiting.delete(holder)
    if (this.#exempt === holder) this.#exempt = undefined
    this.#balance()
  }

  #balance(): void {
    if (this.heldBytes <= this.#maxBytes) {
      const waiting = [...this.#waiting]
      this.#waiting.clear()
      this.#exempt = undefined
      for (const holder of waiting) holder.resumeForMemory()
    } else if (this.#callBytes === 0 && !this.#exempt) {
      for (const holder of this.#waiting) {
        this.#waiting.delete(holder)
        this.#exempt = holder
        holder.resumeForMemory()
        return
      }
    }
  }
}
