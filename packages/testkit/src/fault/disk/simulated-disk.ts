import { type Deferred, deferred, type Random, seededRandom } from '@millrace/runtime'
import type { Disk, DiskEntry, DiskFile, OpenMode } from '@millrace/wal'
import { DirectoryTree, diskError } from './directory-tree.js'
import { type DiskCall, type Failure, FaultPlan } from './fault-plan.js'
import type { FileContent } from './file-content.js'
import { powerLoss } from './power-loss.js'
import { SeededTurns } from './seeded-turns.js'
import { SimulatedFile } from './simulated-file.js'

/** What a disk without a limit says is free. */
const PLENTY_BYTES = 2 ** 40

/** One call: what is noted of it, and what it does. */
export interface DiskWork<T> extends DiskCall {
  /** @param share how much of it happens: 1, or less when the power goes off meanwhile. */
  perform(share: number): T
  /** What happens when a fault hits the call; by default nothing. Throws, or gives a lesser result. */
  fail?(failure: Failure): T
}

/**
 * A disk in memory with a memory of what was synced.
 *
 * It belongs to one process at a time. {@link SimulatedDisk.crash} and {@link SimulatedDisk.kill} end that process:
 * they give the disk that the next one finds, and calls on the old one never come back (the synchronous ones throw
 * `EPOWERLOSS`). Calls take effect in an order that depends on the seed, and so does what a crash leaves.
 */
export class SimulatedDisk implements Disk {
  readonly faults = new FaultPlan()
  /** Bytes that files may occupy; a write beyond is short, then `ENOSPC`. */
  capacityBytes = Number.POSITIVE_INFINITY
  readonly #tree: DirectoryTree
  readonly #random: Random
  readonly #turns: SeededTurns
  readonly #death: Deferred<void> = deferred()
  #isDead = false
  #unfinished: { runPart(share: number): void }[] = []
  #stamp = 0
  #deathCall = Number.POSITIVE_INFINITY

  constructor(seed = 1, tree = new DirectoryTree()) {
    this.#tree = tree
    this.#random = seededRandom(seed)
    this.#turns = new SeededTurns(this.#random)
  }

  /** Resolves when the process ended that this disk belongs to. */
  get died(): Promise<void> {
    return this.#death.promise
  }

  get isDead(): boolean {
    return this.#isDead
  }

  /** Ends the process at its n-th call from now, which may still take effect. */
  dieAt(call: number): void {
    this.#deathCall = this.faults.count() + call
  }

  /** The power goes off: the next process finds what was synced and, by the seed, some of the rest. */
  crash(seed: number): SimulatedDisk {
    this.#die()
    this.#finishParts(seed)
    const survival = powerLoss(seed, this.#tree.oldestUnsynced, this.#stamp)
    return this.#successor(seed, this.#tree.afterPowerLoss(survival))
  }

  /** The process is killed: the next one finds all that was written, synced or not. */
  kill(seed: number): SimulatedDisk {
    this.#die()
    this.#finishParts(seed)
    const next = this.#successor(seed, this.#tree)
    next.#stamp = this.#stamp
    return next
  }

  /** An independent disk with what this one holds, all of it safe, without faults. */
  clone(seed = 1): SimulatedDisk {
    return new SimulatedDisk(seed, this.#tree.clone())
  }

  /** Paths of all files. */
  files(): string[] {
    return [...this.#tree.files()].map((file) => file.path)
  }

  /** The bytes of a file as a process sees them. */
  bytes(path: string): Buffer {
    const content = this.#tree.file(path)
    const bytes = Buffer.alloc(content.size)
    content.read(bytes, 0)
    return bytes
  }

  /** Puts a file there (with its directories) or overwrites bytes of it: at once, safe, and not recorded. */
  put(path: string, bytes: Uint8Array, position = 0): void {
    const names = path.split('/').slice(1, -1)
    names.forEach((_, index) => {
      const directory = `/${names.slice(0, index + 1).join('/')}`
      if (this.#tree.find(directory)) return
      this.#tree.makeDirectory(directory, 0)
      this.#tree.sync(parentOf(directory))
    })
    if (!this.#tree.find(path)) this.#tree.create(path, 0)
    this.#tree.sync(parentOf(path))
    const content = this.#tree.file(path)
    content.write(bytes, position, 0)
    content.settle()
  }

  /** Cuts a file, or lengthens it with zeroes: at once, safe, and not recorded. */
  truncate(path: string, size: number): void {
    this.#tree.file(path).truncate(size)
  }

  /** Whether a power loss could change anything. */
  get isDirty(): boolean {
    return Number.isFinite(this.#tree.oldestUnsynced)
  }

  get usedBytes(): number {
    let used = 0
    for (const { content } of this.#tree.files()) used += content.allocatedBytes
    return used
  }

  open(path: string, mode: OpenMode): Promise<DiskFile> {
    return this.later(this.#opening(path, mode))
  }
  openSync(path: string, mode: OpenMode): DiskFile {
    return this.now(this.#opening(path, mode))
  }
  list(path: string): Promise<string[]> {
    return this.later({ kind: 'list', path, perform: () => this.#tree.list(path) })
  }
  listSync(path: string): string[] {
    return this.now({ kind: 'list', path, perform: () => this.#tree.list(path) })
  }
  stat(path: string): Promise<DiskEntry | undefined> {
    return this.later({ kind: 'stat', path, perform: () => this.#entry(path) })
  }
  statSync(path: string): DiskEntry | undefined {
    return this.now({ kind: 'stat', path, perform: () => this.#entry(path) })
  }
  makeDirectory(path: string): Promise<void> {
    return this.later(this.#making(path))
  }
  makeDirectorySync(path: string): void {
    this.now(this.#making(path))
  }
  rename(from: string, to: string): Promise<void> {
    return this.later(this.#renaming(from, to))
  }
  renameSync(from: string, to: string): void {
    this.now(this.#renaming(from, to))
  }
  remove(path: string): Promise<void> {
    return this.later(this.#removing(path))
  }
  removeSync(path: string): void {
    this.now(this.#removing(path))
  }
  syncDirectory(path: string): Promise<void> {
    return this.later({ kind: 'syncDirectory', path, perform: () => this.#tree.sync(path) })
  }
  syncDirectorySync(path: string): void {
    this.now({ kind: 'syncDirectory', path, perform: () => this.#tree.sync(path) })
  }
  freeBytes(path: string): Promise<number> {
    return this.later({ kind: 'freeBytes', path, perform: () => this.#free() })
  }
  freeBytesSync(path: string): number {
    return this.now({ kind: 'freeBytes', path, perform: () => this.#free() })
  }

  /** Does a call at once. */
  now<T>(work: DiskWork<T>): T {
    const failure = this.#note(work)
    if (this.#isDead) throw diskError('EPOWERLOSS', work.kind, work.path)
    return carryOut(work, failure)
  }

  /** Does a call in some later turn. */
  later<T>(work: DiskWork<T>): Promise<T> {
    const failure = this.#note(work)
    const runPart = (share: number) => {
      if (!failure) work.perform(share)
    }
    return new Promise<T>((resolve, reject) => {
      const run = () => {
        try {
          resolve(carryOut(work, failure))
        } catch (error) {
          reject(error)
        }
      }
      if (!this.#isDead) this.#turns.add({ run, runPart })
    })
  }

  /** Stores bytes as far as the capacity reaches, and gives how many. */
  store(file: { path: string; content: FileContent }, bytes: Uint8Array, position: number): number {
    const { content, path } = file
    const isLimited = Number.isFinite(this.capacityBytes)
    const length = isLimited ? content.fitting(bytes.length, position, this.#free()) : bytes.length
    if (length === 0 && bytes.length > 0) throw diskError('ENOSPC', 'write', path)
    content.write(bytes.subarray(0, length), position, this.#nextStamp())
    return length
  }

  get random(): Random {
    return this.#random
  }

  /** Takes note of a call; a process that is to die at it is dead when this returns. */
  #note(work: DiskWork<unknown>): Failure | undefined {
    if (this.#isDead) return undefined
    const { kind, path, position, bytes } = work
    const failure = this.faults.next({
      kind,
      path,
      ...(position === undefined ? {} : { position }),
      ...(bytes === undefined ? {} : { bytes }),
    })
    if (this.faults.count() >= this.#deathCall) {
      this.#unfinished.push({ runPart: (share) => void work.perform(share) })
      this.#die()
    }
    return failure
  }

  #die(): void {
    if (this.#isDead) return
    this.#isDead = true
    this.#unfinished.push(...this.#turns.stop())
    this.#death.resolve()
  }

  /** Each call that was under way when the process ended has taken effect, partly or not at all. */
  #finishParts(seed: number): void {
    const random = seededRandom(seed ^ 0x5f356495)
    for (const job of this.#unfinished.splice(0)) {
      const luck = random()
      if (luck < 0.4) continue
      try {
        job.runPart(luck < 0.7 ? 1 : random())
      } catch {
        // It would have failed, and nobody is left to be told.
      }
    }
  }

  #successor(seed: number, tree: DirectoryTree): SimulatedDisk {
    const next = new SimulatedDisk(seed, tree)
    next.capacityBytes = this.capacityBytes
    next.faults.isRecording = this.faults.isRecording
    return next
  }

  #opening(path: string, mode: OpenMode): DiskWork<DiskFile> {
    const perform = () => {
      const content =
        mode === 'create' ? this.#tree.create(path, this.#nextStamp()) : this.#tree.file(path)
      return new SimulatedFile(this, path, content, mode !== 'read')
    }
    return { kind: mode === 'create' ? 'create' : 'open', path, perform }
  }

  #making(path: string): DiskWork<void> {
    const perform = () => this.#tree.makeDirectory(path, this.#nextStamp())
    return { kind: 'makeDirectory', path, perform }
  }

  #renaming(from: string, to: string): DiskWork<void> {
    return {
      kind: 'rename',
      path: from,
      perform: () => this.#tree.rename(from, to, this.#nextStamp()),
    }
  }

  #removing(path: string): DiskWork<void> {
    return { kind: 'remove', path, perform: () => this.#tree.remove(path, this.#nextStamp()) }
  }

  #entry(path: string): DiskEntry | undefined {
    const found = this.#tree.find(path)
    return found && { isFile: found.isFile, isDirectory: !found.isFile, size: found.size }
  }

  #free(): number {
    return Number.isFinite(this.capacityBytes)
      ? Math.max(0, this.capacityBytes - this.usedBytes)
      : PLENTY_BYTES
  }

  #nextStamp(): number {
    this.#stamp += 1
    return this.#stamp
  }
}

function carryOut<T>(work: DiskWork<T>, failure: Failure | undefined): T {
  if (!failure) return work.perform(1)
  if (work.fail) return work.fail(failure)
  if (failure.code === 'short') return work.perform(1)
  throw diskError(failure.code, work.kind, work.path)
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}
