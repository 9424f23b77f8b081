/** Smaller pieces are copied together, so that a stream of single octets costs no object for each. */
const SMALL_PIECE_BYTES = 4_096
const SLAB_BYTES = 16_384

/**
 * Collects the pieces of a frame until it is complete. What they keep alive is counted, not only
 * their octets: a view of a chunk keeps the whole chunk.
 */
export class PieceCollector {
  #pieces: Buffer[] = []
  #slab: Buffer | undefined
  #slabLength = 0
  #length = 0
  #pinnedBytes = 0

  /** Octets collected. */
  get length(): number {
    return this.#length
  }

  /** Memory that the pieces keep alive, in bytes. */
  get heldBytes(): number {
    return this.#pinnedBytes + this.#slabLength
  }

  /** Adds a view of a chunk; `isLast`: the next call is {@link PieceCollector.join}. */
  add(piece: Buffer, isLast: boolean): void {
    this.#length += piece.length
    if (isLast) {
      this.#closeSlab()
      this.#pieces.push(piece)
    } else if (piece.length < SMALL_PIECE_BYTES) this.#addSmall(piece)
    else {
      this.#closeSlab()
      const isFirst = this.#pieces.length === 0
      // The first is the end of a chunk and joined soon, as a rule. Later ones are whole chunks; one
      // that is not would keep much memory for few octets.
      this.#keep(isFirst || piece.length * 2 >= piece.buffer.byteLength ? piece : copyOf(piece))
    }
  }

  /** The octets as one buffer; the collector is empty afterwards. */
  join(): Buffer {
    this.#closeSlab()
    const pieces = this.#pieces
    const joined = pieces.length === 1 ? (pieces[0] as Buffer) : joinAll(pieces, this.#length)
    this.#pieces = []
    this.#length = 0
    this.#pinnedBytes = 0
    return joined
  }

  #keep(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#pinnedBytes += piece.buffer.byteLength
  }

  #addSmall(piece: Buffer): void {
    if (this.#slab && this.#slabLength + piece.length > this.#slab.length) this.#closeSlab()
    this.#slab ??= Buffer.allocUnsafeSlow(SLAB_BYTES)
    this.#slabLength += piece.copy(this.#slab, this.#slabLength)
  }

  #closeSlab(): void {
    if (!this.#slab) return
    const piece = this.#slab.subarray(0, this.#slabLength)
    this.#keep(piece.length * 2 < SLAB_BYTES ? copyOf(piece) : piece)
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
