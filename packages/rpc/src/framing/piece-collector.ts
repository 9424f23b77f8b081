/** Smaller pieces are copied together, so that a stream of single octets costs no object for each. */
const SMALL_PIECE_BYTES = 4_096
const SLAB_BYTES = 16_384

/** Collects the pieces of a frame, pinning at most about twice the memory of their octets. */
export class PieceCollector {
  #pieces: Buffer[] = []
  #slab: Buffer | undefined
  #slabLength = 0
  #length = 0

  /** Octets collected. */
  get length(): number {
    return this.#length
  }

  add(piece: Buffer): void {
    this.#length += piece.length
    if (piece.length < SMALL_PIECE_BYTES) this.#addSmall(piece)
    else {
      this.#closeSlab()
      // A short view of a large chunk would keep the whole chunk for the life of the frame.
      this.#pieces.push(piece.length * 2 < piece.buffer.byteLength ? copyOf(piece) : piece)
    }
  }

  /** The octets as one buffer; the collector is empty afterwards. */
  join(): Buffer {
    this.#closeSlab()
    const pieces = this.#pieces
    const joined = pieces.length === 1 ? (pieces[0] as Buffer) : joinAll(pieces, this.#length)
    this.#pieces = []
    this.#length = 0
    return joined
  }

  #addSmall(piece: Buffer): void {
    if (this.#slab && this.#slabLength + piece.length > this.#slab.length) this.#closeSlab()
    this.#slab ??= Buffer.allocUnsafeSlow(SLAB_BYTES)
    this.#slabLength += piece.copy(this.#slab, this.#slabLength)
  }

  #closeSlab(): void {
    if (!this.#slab) return
    const piece = this.#slab.subarray(0, this.#slabLength)
    this.#pieces.push(piece.length * 2 < SLAB_BYTES ? copyOf(piece) : piece)
    this.#slab = undefined
    this.#slabLength = 0
  }
}

function joinAll(pieces: readonly Buffer[], length: number): Buffer {
  const joined = Buffer.allocUnsafeSlow(length)
  let at = 0
  for (const piece of pieces) {
    joined.set(piece, at)
    at += piece.length
  }
  return joined
}

function copyOf(piece: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(piece.length)
  copy.set(piece)
  return copy
}
