/** One fixed run over a log, in which a given call of the disk fails. */
import assert from 'node:assert/strict'
import { DISK_CALLS, type DiskCallKind, type DiskFault, SimulatedDisk } from '@millrace/testkit'
import { Choice } from './choice.js'
import { EventLedger } from './event-ledger.js'
import { LogLife } from './log-life.js'

/** Every kind of call is made to fail, with each of these errors. */
export const SWEEP_CODES = ['EIO', 'ENOSPC', 'EMFILE', 'EROFS'] as const

const CONSUMERS = ['a', 'b']
/** A log that does not work again after so many tries, with time between them, never will. */
const MOST_TRIES = 4
const RETRY_MS = 10_000

const OPTIONS = {
  checkpointDirectory: '/log/checkpoint',
  dataDirectories: ['/log/data1', '/log/data2'],
  consumers: CONSUMERS,
  segmentBytes: 65_536,
  recentBytes: 4000,
  spareSegments: 1,
  checkpointIntervalMs: 500,
  maxRepeatedEvents: 40,
}

export interface SweepResult {
  /** Calls of each kind that the run made. */
  readonly counts: ReadonlyMap<DiskCallKind, number>
  /** Whether the fault came to its call. */
  readonly wasHit: boolean
  /** Calls of the log that failed. */
  readonly failures: number
}

/** @throws Error that names the fault when the law is broken, or the log does not work again. */
export async function sweepRun(fault?: DiskFault): Promise<SweepResult> {
  const run = new SweepRun(fault)
  try {
    return await run.run()
  } catch (error) {
    throw new Error(`${JSON.stringify(fault ?? 'no fault')}: ${String(error)}`, { cause: error })
  }
}

/** Every fault of a sweep over calls that a run makes. */
export function* sweepFaults(counts: ReadonlyMap<DiskCallKind, number>): Generator<DiskFault> {
  for (const kind of DISK_CALLS) {
    for (let nth = 1; nth <= (counts.get(kind) ?? 0); nth += 1) {
      for (const code of SWEEP_CODES) {
        if (kind !== 'sync') yield { kind, nth, code }
        else
          for (const pages of ['kept', 'dropped', 'reverted'] as const)
            yield { kind, nth, code, pages }
      }
      if (kind === 'write') yield { kind, nth, code: 'short' }
    }
  }
}

class SweepRun {
  readonly #choice = new Choice(7)
  readonly #ledger = new EventLedger(CONSUMERS, OPTIONS.maxRepeatedEvents)
  readonly #isFaulty: boolean
  #disk = new SimulatedDisk(7)
  #failures = 0

  constructor(fault: DiskFault | undefined) {
    this.#isFaulty = fault !== undefined
    this.#disk.faults.isRecording = false
    if (fault) this.#disk.faults.add(fault)
  }

  async run(): Promise<SweepResult> {
    const { faults } = this.#disk
    await this.#firstLife()
    await this.#secondLife()
    const counts = new Map(DISK_CALLS.map((kind) => [kind, faults.count(kind)]))
    const wasHit = !faults.isWaiting
    // Whatever happened: what was promised is safe from a loss of power too.
    this.#ledger.ended('power')
    this.#disk = this.#disk.crash(11)
    const life = await this.#open()
    for (const name of CONSUMERS) await life.drain(name)
    assert.equal(life.log.stats().lostEvents, 0, 'events were lost')
    await life.close()
    return { counts, wasHit, failures: this.#failures }
  }

  async #firstLife(): Promise<void> {
    const life = await this.#open()
    for (let round = 0; round < 12; round += 1) {
      await this.#append(life, 5)
      if (round % 3 === 1) await this.#readSome(life, 'a', 1)
      if (round % 4 === 2) await this.#readSome(life, 'b', 0.6)
      await life.pass(100)
    }
    await this.#close(life)
  }

  async #secondLife(): Promise<void> {
    const life = await this.#open()
    for (let round = 0; round < 14; round += 1) {
      for (const name of CONSUMERS) {
        await this.#readSome(life, name, 1)
        await life.acknowledge(name, 1)
      }
      await this.#append(life, 5)
      await life.pass(400)
    }
    for (const name of CONSUMERS) await life.drain(name)
    await this.#append(life, 1)
    await this.#close(life)
  }

  async #open(): Promise<LogLife> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const life = new LogLife({
        disk: this.#disk,
        ledger: this.#ledger,
        choice: this.#choice,
        options: OPTIONS,
        mayFail: this.#isFaulty,
      })
      const isOpen = await life.open()
      this.#failures += life.failures
      if (isOpen) return life
    }
    throw new Error('The log does not open after the fault')
  }

  /** Appends that overlap, and then one that must be taken, if not at once then a little later. */
  async #append(life: LogLife, count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      life.meanwhile(life.append(3, (each) => Buffer.alloc(700, index * 3 + each)))
    }
    await life.appended()
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      if (
        await life.settled(
          life.append(1, () => Buffer.alloc(20, tries)),
          'append',
        )
      )
        return
      await life.pass(RETRY_MS)
    }
    throw new Error('The log takes nothing any more after the fault')
  }

  async #readSome(life: LogLife, name: string, share: number): Promise<void> {
    await life.read(name, 8000)
    await life.acknowledge(name, share)
  }

  async #close(life: LogLife): Promise<void> {
    const isClosed = await life.close()
    this.#failures += life.failures
    // A close that met the fault has perhaps not stored its last cursors.
    this.#ledger.ended(isClosed ? 'closed' : 'killed')
  }
}
