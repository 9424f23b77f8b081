import type { Random } from '@millrace/runtime'

/** What a disk writes whole, or not at all. */
export const SECTOR_BYTES = 512

const ZEROES = new Uint8Array(SECTOR_BYTES)

/** Which of the things that were never synced a power loss leaves. */
export interface Survival {
  readonly random: Random
  /** Whether a change with this stamp reached the disk. Stamps rise with time over all of a disk. */
  keeps(stamp: number): boolean
  /** Chance that a sector that was kept holds old bytes behind or before some place in it. */
  readonly tearChance: number
  /** Whether the room behind the old end of a file shows bytes of another file where nothing was kept. */
  readonly exposesStaleBytes: boolean
}

interface Version {
  readonly stamp: number
  readonly bytes: Uint8Array
}

interface Size {
  readonly stamp: number
  readonly size: number
}

/**
 * The bytes of one simulated file, twice: as a process sees them (cached) and as they are on the disk (durable).
 * Sectors are never changed in place, so that copies of a file share what they have in common.
 */
export class FileContent {
  #cached = new Map<number, Uint8Array>()
  #durable = new Map<number, Uint8Array>()
  #size = 0
  #durableSize = 0
  /** What was written to a sector since the last sync, oldest first. */
  readonly #unsynced = new Map<number, Version[]>()
  #unsyncedSizes: Size[] = []

  get size(): number {
    return this.#size
  }

  /** Bytes on the disk that this file occupies. */
  get allocatedBytes(): number {
    return this.#cached.size * SECTOR_BYTES
  }

  /** Stamp of the oldest write that a power loss can take away; infinite when there is none. */
  get oldestUnsynced(): number {
    let oldest = this.#unsyncedSizes[0]?.stamp ?? Number.POSITIVE_INFINITY
    for (const [first] of this.#unsynced.values()) oldest = Math.min(oldest, first?.stamp ?? oldest)
    return oldest
  }

  read(target: Uint8Array, position: number): number {
    const end = Math.min(position + target.length, this.#size)
    for (let at = position; at < end; ) {
      const sector = Math.floor(at / SECTOR_BYTES)
      const from = at - sector * SECTOR_BYTES
      const to = Math.min(SECTOR_BYTES, end - sector * SECTOR_BYTES)
      target.set((this.#cached.get(sector) ?? ZEROES).subarray(from, to), at - position)
      at += to - from
    }
    return Math.max(0, end - position)
  }

  /** How many bytes of a write find a place when so many more may be occupied. */
  fitting(length: number, position: number, freeBytes: number): number {
    let left = freeBytes
    const end = position + length
    for (
      let sector = Math.floor(position / SECTOR_BYTES);
      sector * SECTOR_BYTES < end;
      sector += 1
    ) {
      if (this.#cached.has(sector)) continue
      left -= SECTOR_BYTES
      if (left < 0) return Math.max(0, sector * SECTOR_BYTES - position)
    }
    return length
  }

  write(bytes: Uint8Array, position: number, stamp: number): void {
    const end = position + bytes.length
    for (let at = position; at < end; ) {
      const sector = Math.floor(at / SECTOR_BYTES)
      const from = at - sector * SECTOR_BYTES
      const to = Math.min(SECTOR_BYTES, end - sector * SECTOR_BYTES)
      const part = bytes.subarray(at - position, at - position + to - from)
      this.#replace(sector, overlaid(this.#cached.get(sector) ?? ZEROES, part, from), stamp)
      at += to - from
    }
    if (end > this.#size) {
      this.#size = end
      this.#unsyncedSizes.push({ stamp, size: end })
    }
  }

  /** Cuts or lengthens the file, as damage does; nothing of the old length can come back. */
  truncate(size: number): void {
    const sectors = Math.ceil(size / SECTOR_BYTES)
    for (const sector of this.#cached.keys()) if (sector >= sectors) this.#cached.delete(sector)
    const rest = size % SECTOR_BYTES
    const last = this.#cached.get(sectors - 1)
    if (rest > 0 && last) {
      this.#cached.set(sectors - 1, overlaid(ZEROES, last.subarray(0, rest), 0))
    }
    this.#size = size
    this.settle()
  }

  /** Everything written so far is on the disk now. */
  sync(): void {
    for (const sector of this.#unsynced.keys()) {
      const bytes = this.#cached.get(sector)
      if (bytes) this.#durable.set(sector, bytes)
    }
    this.#durableSize = this.#size
    this.#unsynced.clear()
    this.#unsyncedSizes = []
  }

  /** Makes the durable state what the cached one is, also where a failed sync had let them differ. */
  settle(): void {
    this.#durable = new Map(this.#cached)
    this.#durableSize = this.#size
    this.#unsynced.clear()
    this.#unsyncedSizes = []
  }

  /**
   * A sync that fails: some of the written sectors reach the disk, and no later sync will write the others.
   * With `reverts` the cache forgets them too and shows what is on the disk.
   */
  failSync(random: Random, reverts: boolean): void {
    for (const [sector, versions] of this.#unsynced) {
      const last = versions.at(-1)
      if (last && random() < 0.5) this.#durable.set(sector, last.bytes)
    }
    if (random() < 0.5) this.#durableSize = this.#size
    if (reverts) {
      for (const sector of this.#unsynced.keys()) {
        const bytes = this.#durable.get(sector)
        if (bytes) this.#cached.set(sector, bytes)
        else this.#cached.delete(sector)
      }
      this.#size = this.#durableSize
    }
    this.#unsynced.clear()
    this.#unsyncedSizes = []
  }

  /** The file as a power loss leaves it. */
  afterPowerLoss(survival: Survival): FileContent {
    const left = new FileContent()
    left.#size = newestKept(this.#unsyncedSizes, survival)?.size ?? this.#durableSize
    left.#cached = new Map(this.#durable)
    for (const [sector, versions] of this.#unsynced) {
      const old = this.#durable.get(sector) ?? this.#neverWritten(sector, survival)
      const bytes = survivor(old, versions, survival)
      if (bytes) left.#cached.set(sector, bytes)
    }
    left.truncate(left.#size)
    return left
  }

  /** An independent copy, all of it durable. */
  clone(): FileContent {
    const copy = new FileContent()
    copy.#cached = new Map(this.#cached)
    copy.#size = this.#size
    copy.settle()
    return copy
  }

  #neverWritten(sector: number, survival: Survival): Uint8Array | undefined {
    if (!survival.exposesStaleBytes || sector * SECTOR_BYTES < this.#durableSize) return undefined
    return Uint8Array.from({ length: SECTOR_BYTES }, () => Math.floor(survival.random() * 256))
  }

  #replace(sector: number, bytes: Uint8Array, stamp: number): void {
    this.#cached.set(sector, bytes)
    const versions = this.#unsynced.get(sector)
    if (versions) versions.push({ stamp, bytes })
    else this.#unsynced.set(sector, [{ stamp, bytes }])
  }
}

/** A sector with `part` written over it; all-zero sectors are one and the same. */
function overlaid(old: Uint8Array, part: Uint8Array, from: number): Uint8Array {
  if (part.length === SECTOR_BYTES && Buffer.compare(part, ZEROES) === 0) return ZEROES
  const bytes = Uint8Array.from(old)
  bytes.set(part, from)
  return bytes
}

function newestKept<T extends { readonly stamp: number }>(
  changes: readonly T[],
  survival: Survival,
): T | undefined {
  return changes.findLast((change) => survival.keeps(change.stamp))
}

function survivor(
  old: Uint8Array | undefined,
  versions: readonly Version[],
  survival: Survival,
): Uint8Array | undefined {
  const kept = newestKept(versions, survival)
  if (!kept) return old
  if (survival.random() >= survival.tearChance) return kept.bytes
  const place = Math.floor(survival.random() * SECTOR_BYTES)
  const [head, tail] = survival.random() < 0.5 ? [kept.bytes, old] : [old, kept.bytes]
  return overlaid(head ?? ZEROES, (tail ?? ZEROES).subarray(place), place)
}
