/** A connection as the admission sees it. */
export interface Holder {
  /** Whether it is in the middle of a frame. */
  readonly isInsideFrame: boolean
  /** Octets of its unfinished frame. */
  readonly partialBytes: number
  pauseForMemory(): void
  resumeForMemory(): void
}

/**
 * Bounds what all connections hold together: unfinished frames, and calls without an answer. Over the
 * limit a connection that still sends is paused, and goes on when answers have made room.
 *
 * Unfinished frames alone can fill the limit, also those of peers that never end them. Two rules keep
 * the others going then, as long as calls take less than half of the limit:
 * - who holds little, less than an equal share of half the limit, goes on;
 * - of those who hold more, one goes on until its frame is complete, if no call is on its way.
 *
 * Memory stays below twice the limit plus one frame plus one chunk for each connection.
 */
export class Admission {
  readonly #maxBytes: number
  /** Paused connections, by what they held when they were paused. */
  readonly #waiting = new Set<Holder>()
  readonly #waitingWithLittle = new Set<Holder>()
  #exempt: Holder | undefined
  #callBytes = 0
  #partialBytes = 0
  /** Connections with an unfinished frame. */
  #partialHolders = 0

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
    if (this.#waiting.size + this.#waitingWithLittle.size > 0) this.#balance()
  }

  /** The unfinished frame of a connection grew, or went over into a call. */
  partialChanged(beforeBytes: number, afterBytes: number): void {
    this.#partialBytes += afterBytes - beforeBytes
    this.#partialHolders += Number(afterBytes > 0) - Number(beforeBytes > 0)
  }

  /** To be called after each chunk: pauses the connection if there is too much. */
  review(holder: Holder): void {
    if (holder === this.#exempt && !holder.isInsideFrame) this.#exempt = undefined
    if (this.heldBytes <= this.#maxBytes || holder === this.#exempt) return
    const holdsLittle = this.#holdsLittle(holder)
    if (holdsLittle && this.#hasRoomForCalls) return
    const waiting = holdsLittle ? this.#waitingWithLittle : this.#waiting
    waiting.add(holder)
    holder.pauseForMemory()
    this.#balance()
  }

  /** The connection is gone; what it held has been taken off already. */
  forget(holder: Holder): void {
    this.#waiting.delete(holder)
    this.#waitingWithLittle.delete(holder)
    if (this.#exempt === holder) this.#exempt = undefined
    this.#balance()
  }

  get #hasRoomForCalls(): boolean {
    return this.#callBytes * 2 <= this.#maxBytes
  }

  #holdsLittle({ partialBytes }: Holder): boolean {
    return partialBytes * this.#partialHolders * 2 <= this.#maxBytes
  }

  #balance(): void {
    const isRoomForAll = this.heldBytes <= this.#maxBytes
    if (isRoomForAll || this.#hasRoomForCalls) resumeAll(this.#waitingWithLittle)
    if (isRoomForAll) {
      this.#exempt = undefined
      resumeAll(this.#waiting)
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

function resumeAll(waiting: Set<Holder>): void {
  const holders = [...waiting]
  waiting.clear()
  for (const holder of holders) holder.resumeForMemory()
}
