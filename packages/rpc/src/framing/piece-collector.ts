/** Smaller pieces are copied together, so that a stream of single octets costs no object for each. */
const SMALL_PIECE_BYTES = 4_096
const SLAB_BYTES = 16_384

/** Memory for octets to come is at most so many times what has come already. */
const ROOM_FACTOR = 8

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
  /** Once octets are read directly: one buffer that begins with all that was collected. */
  #direct: Buffer | undefined

  /** Octets collected. */
  get length(): number {
    return this.#length
  }

  /** Memory that the pieces keep alive, in bytes. */
  get heldBytes(): number {
    // Of memory that waits for octets the system gives none before they come.
    return this.#direct ? this.#length : this.#pinnedBytes + this.#slabLength
  }

  /**
   * Memory for at most `wanted` octets to come, to be read into and then told with
   * {@link PieceCollector.filled}. It grows with what has come, not with what a peer claims.
   */
  room(wanted: number): Buffer {
    let direct = this.#direct
    if (!direct || this.#length === direct.length) {
      const most = Math.max(this.#length * ROOM_FACTOR, SLAB_BYTES)
      direct = this.#grow(Math.min(this.#length + wanted, most))
    }
    return direct.subarray(this.#length, Math.min(this.#length + wanted, direct.length))
  }

  /** So many octets are in what {@link PieceCollector.room} gave. */
  filled(bytes: number): void {
    this.#length += bytes
  }

  /** Adds a view of a chunk; `isLast`: the next call is {@link PieceCollector.join}. */
  add(piece: Buffer, isLast: boolean): void {
    if (this.#direct) {
      this.#addDirectly(piece)
      return
    }
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
    if (this.#direct) return this.#takeDirect()
    this.#closeSlab()
    const pieces = this.#pieces
    const joined = pieces.length === 1 ? (pieces[0] as Buffer) : joinAll(pieces, this.#length)
    this.#pieces = []
    this.#length = 0
    this.#pinnedBytes = 0
    return joined
  }

  #addDirectly(piece: Buffer): void {
    const length = this.#length + piece.length
    let direct = this.#direct as Buffer
    // By doubling: many tiny pieces behind a large one must not copy the large one each time.
    if (length > direct.length) direct = this.#grow(Math.max(length, direct.length * 2))
    direct.set(piece, this.#length)
    this.#length = length
  }

  /** Moves everything into one buffer of that many octets. */
  #grow(bytes: number): Buffer {
    const grown = Buffer.allocUnsafeSlow(bytes)
    if (this.#direct) this.#direct.copy(grown, 0, 0, this.#length)
    else {
      this.#closeSlab()
      let at = 0
      for (const piece of this.#pieces) {
        grown.set(piece, at)
        at += piece.length
      }
      this.#pieces = []
      this.#pinnedBytes = 0
    }
    this.#direct = grown
    return grown
  }

  #takeDirect(): Buffer {
    const direct = (this.#direct as Buffer).subarray(0, this.#length)
    this.#direct = undefined
    this.#length = 0
    return direct.length * 2 < direct.buffer.byteLength ? copyOf(direct) : direct
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
