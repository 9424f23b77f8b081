/** The kinds of calls that a simulated disk tells apart. */
export const DISK_CALLS = [
  'open',
  'create',
  'read',
  'write',
  'sync',
  'size',
  'close',
  'list',
  'stat',
  'makeDirectory',
  'rename',
  'remove',
  'syncDirectory',
  'freeBytes',
] as const

export type DiskCallKind = (typeof DISK_CALLS)[number]

export interface DiskCall {
  readonly kind: DiskCallKind
  readonly path: string
  /** Of reads and writes. */
  readonly position?: number
  readonly bytes?: number
}

/** A call that is to fail. */
export interface DiskFault {
  /** Which calls are counted; all of them when absent. */
  readonly kind?: DiskCallKind
  /** Only calls on paths that contain this text are counted. */
  readonly path?: string
  /** Which one fails, counted from now; the next one is 1, the default. */
  readonly nth?: number
  /** Whether each later one fails too, until {@link FaultPlan.clear}. */
  readonly isLasting?: boolean
  /**
   * The code of the error, `EIO` for example. `short`: a write stores a part of what it was given, and says so;
   * any other call succeeds.
   */
  readonly code: string
  /**
   * What a failed sync does with what it was to write. `kept`: a later sync writes it. `dropped`: some of it is
   * never written, though the process still sees it until the disk loses its power. `reverted`: the process sees
   * at once what is on the disk. Default `kept`.
   */
  readonly pages?: 'kept' | 'dropped' | 'reverted'
}

/** What a fault does to the call that it hits. */
export type Failure = Pick<DiskFault, 'code' | 'pages'>

/** Counts and records the calls of a disk, and says which of them fail. */
export class FaultPlan {
  /** Every call in order of issue, when {@link FaultPlan.isRecording}. */
  readonly calls: DiskCall[] = []
  isRecording = true
  readonly #counts = new Map<DiskCallKind, number>()
  #total = 0
  #hits = 0
  #faults: { readonly fault: DiskFault; left: number }[] = []

  /** Calls so far, of one kind or of all. */
  count(kind?: DiskCallKind): number {
    return kind === undefined ? this.#total : (this.#counts.get(kind) ?? 0)
  }

  add(fault: DiskFault): void {
    this.#faults.push({ fault, left: fault.nth ?? 1 })
  }

  /** Forgets all faults: the disk is well again. */
  clear(): void {
    this.#faults = []
  }

  /** Whether a fault has not come to its call yet. */
  get isWaiting(): boolean {
    return this.#faults.some((each) => each.left > 0)
  }

  /** Calls that failed so far, or fell short. */
  get hits(): number {
    return this.#hits
  }

  /** Takes note of a call, and gives the failure that it shall have. */
  next(call: DiskCall): Failure | undefined {
    if (this.isRecording) this.calls.push(call)
    this.#total += 1
    this.#counts.set(call.kind, (this.#counts.get(call.kind) ?? 0) + 1)
    let failure: Failure | undefined
    for (const each of this.#faults) {
      const { kind, path, isLasting } = each.fault
      if (kind !== undefined && kind !== call.kind) continue
      if (path !== undefined && !call.path.includes(path)) continue
      each.left -= 1
      if (each.left === 0 || (each.left < 0 && isLasting)) failure ??= each.fault
    }
    if (failure) this.#hits += 1
    return failure
  }
}
