/** Random schedules over a log on a disk that loses its power, and the law that they must not break. */
import assert from 'node:assert/strict'
import { SimulatedDisk } from '@millrace/testkit'
import type { LogOptions } from '@millrace/wal'
import { decodeSegmentHeader } from '@millrace/wal/internal/format/segment-header'
import { Choice } from './choice.js'
import { EventLedger } from './event-ledger.js'
import { LogLife, ProcessEnded } from './log-life.js'

export interface PowerLossOptions {
  readonly seed: number
  /** How many times the process ends. */
  readonly lives: number
  /** Whether calls of the disk fail now and then. */
  readonly withFaults?: boolean
  /** Gets a line for what happens. */
  readonly trace?: (line: string) => void
}

/** What a schedule met: a short run must not miss any of it. */
export interface PowerLossReport {
  powerLosses: number
  kills: number
  closes: number
  /** Ends while the log was being opened. */
  endsInRecovery: number
  cutTails: number
  events: number
  repeats: number
  failures: number
  /** Files of segments that were used again. */
  recycled: number
  removed: number
  segments: number
}

const NOTHING: PowerLossReport = {
  powerLosses: 0,
  kills: 0,
  closes: 0,
  endsInRecovery: 0,
  cutTails: 0,
  events: 0,
  repeats: 0,
  failures: 0,
  recycled: 0,
  removed: 0,
  segments: 0,
}

export function emptyReport(): PowerLossReport {
  return { ...NOTHING }
}

export function addReport(sum: PowerLossReport, each: PowerLossReport): void {
  for (const key of Object.keys(NOTHING) as (keyof PowerLossReport)[]) sum[key] += each[key]
}

/** Findings that a power loss without other damage may lead to. */
const HARMLESS = new Set(['cut-tail', 'unfinished', 'unreadable'])
const FAULTS = ['EIO', 'ENOSPC', 'EMFILE', 'EROFS', 'short'] as const
const PAGES = ['kept', 'dropped', 'reverted'] as const

/**
 * Runs one schedule.
 * @throws Error that names the seed when the law is broken.
 */
export async function powerLossSchedule(options: PowerLossOptions): Promise<PowerLossReport> {
  const schedule = new Schedule(options)
  try {
    return await schedule.run()
  } catch (error) {
    schedule.traceCalls()
    const faults = options.withFaults ? ' --faults' : ''
    throw new Error(
      `seed ${options.seed}, lives ${options.lives}${faults}, life ${schedule.life}: ${String(error)}`,
      { cause: error },
    )
  }
}

class Schedule {
  life = 0
  readonly #choice: Choice
  readonly #withFaults: boolean
  readonly #lives: number
  readonly #names: readonly string[]
  readonly #ledger: EventLedger
  readonly #options: LogOptions
  readonly #report = emptyReport()
  readonly #isTracing: boolean
  readonly #trace: (line: string) => void
  #disk: SimulatedDisk

  constructor({ seed, lives, withFaults = false, trace }: PowerLossOptions) {
    this.#isTracing = trace !== undefined
    this.#trace = trace ?? (() => {})
    this.#choice = new Choice(seed)
    this.#lives = lives
    this.#withFaults = withFaults
    const choice = this.#choice
    this.#names = ['a', 'b', 'c'].slice(0, choice.int(1, 3))
    const maxRepeatedEvents = choice.of([0, 20, 200, 10_000])
    const durability = choice.chance(0.75) ? 'sync' : 'write'
    this.#ledger = new EventLedger(
      this.#names,
      durability === 'sync' ? maxRepeatedEvents : Number.POSITIVE_INFINITY,
      durability === 'sync',
    )
    const random = new Choice(choice.seed())
    this.#options = {
      checkpointDirectory: '/log/checkpoint',
      dataDirectories: ['/log/data1', '/disk2/data', '/log/data3'].slice(0, choice.int(1, 3)),
      consumers: this.#names,
      segmentBytes: choice.of([65_536, 65_536, 131_072]),
      maxBatchBytes: 150_000,
      maxGroupBytes: choice.of([4096, 65_536, 8 * 1024 ** 2]),
      recentBytes: choice.of([0, 2000, 8 * 1024 ** 2]),
      preallocate: choice.chance(0.8),
      spareSegments: choice.of([0, 1, 4]),
      checkpointIntervalMs: choice.of([100, 30_000]),
      retention: choice.of([{}, {}, { bytes: 200_000 }, { ms: 1000 }]),
      maxRepeatedEvents,
      durability,
      syncIntervalMs: choice.of([100, 5000]),
      randomBytes: (length) => Buffer.from(Array.from({ length }, () => random.int(0, 255))),
    }
    this.#disk = new SimulatedDisk(choice.seed())
    this.#trace(JSON.stringify(this.#options))
  }

  async run(): Promise<PowerLossReport> {
    for (this.life = 1; this.life <= this.#lives; this.life += 1) {
      this.#disk.faults.isRecording = this.#isTracing
      this.#trace(`life ${this.life} finds ${this.#disk.files().join(' ')}`)
      await this.#oneLife()
    }
    await this.#lastLife()
    this.#report.events = this.#ledger.events
    this.#report.repeats = this.#ledger.repeats
    return this.#report
  }

  traceCalls(): void {
    for (const { kind, path, position, bytes } of this.#disk.faults.calls) {
      this.#trace(`  ${kind} ${path} ${position ?? ''} ${bytes ?? ''}`)
    }
  }

  async #oneLife(): Promise<void> {
    const choice = this.#choice
    const dies = choice.chance(0.85)
    if (dies)
      this.#disk.dieAt(choice.chance(0.4) ? choice.upTo(60) : choice.int(1, choice.of([200, 1000])))
    if (this.#withFaults) this.#addFaults()
    const life = this.#newLife(dies)
    let isOpen = false
    let isClosed = false
    try {
      isOpen = await life.open()
      if (isOpen) {
        this.#checkRecovery(life)
        await this.#work(life, dies)
        this.#checkLoss(life)
        if (!dies || choice.chance(0.3)) isClosed = await life.close()
      }
    } catch (error) {
      if (!(error instanceof ProcessEnded)) throw error
      if (!isOpen) this.#report.endsInRecovery += 1
    }
    this.#report.failures += life.failures
    this.#report.removed += this.#disk.faults.count('remove')
    this.#end(isClosed && !this.#disk.isDead)
  }

  #newLife(mayDie = false): LogLife {
    return new LogLife({
      disk: this.#disk,
      ledger: this.#ledger,
      choice: this.#choice,
      options: this.#options,
      mayFail: this.#withFaults,
      mayDie,
    })
  }

  #addFaults(): void {
    const choice = this.#choice
    for (let count = choice.int(0, 4); count > 0; count -= 1) {
      const fault = {
        nth: choice.int(1, choice.of([60, 400, 1500])),
        code: choice.of(FAULTS),
        // What only the page cache was to keep is gone when the system drops it.
        pages: this.#options.durability === 'write' ? 'kept' : choice.of(PAGES),
      } as const
      this.#trace(`fault ${JSON.stringify(fault)}`)
      this.#disk.faults.add(fault)
    }
    if (choice.chance(0.1)) this.#disk.capacityBytes = choice.int(100_000, 600_000)
  }

  /** The process ends, in one way or the other, and the next one finds what is left. */
  #end(isClosed: boolean): void {
    const choice = this.#choice
    const how = choice.weighted({ power: 6, killed: 3, closed: isClosed ? 6 : 0 })
    this.traceCalls()
    this.#trace(`life ${this.life} ends: ${how}, ${isClosed ? '' : 'not '}closed`)
    // What was closed in peace is safe, whatever happens to the power afterwards.
    this.#ledger.ended(isClosed ? 'closed' : how)
    this.#disk = how === 'power' ? this.#disk.crash(choice.seed()) : this.#disk.kill(choice.seed())
    this.#disk.capacityBytes = Number.POSITIVE_INFINITY
    if (isClosed) this.#report.closes += 1
    else if (how === 'power') this.#report.powerLosses += 1
    else this.#report.kills += 1
  }

  async #work(life: LogLife, isLong: boolean): Promise<void> {
    const choice = this.#choice
    for (let steps = choice.int(0, isLong ? 400 : 60); steps > 0; steps -= 1) {
      life.check()
      await this.#step(life)
    }
    if (choice.chance(0.3)) for (const name of this.#names) await life.drain(name)
  }

  async #step(life: LogLife): Promise<void> {
    const choice = this.#choice
    const name = choice.of(this.#names)
    switch (
      choice.weighted({
        append: 40,
        burst: 4,
        tooLarge: 0.5,
        wait: 10,
        read: 20,
        acknowledge: 12,
        acknowledgeAll: 4,
        time: 4,
        longTime: 0.5,
        turn: 10,
        drain: 0.5,
      })
    ) {
      case 'append':
        return this.#append(life)
      case 'burst':
        for (let count = choice.int(2, 12); count > 0; count -= 1) this.#append(life)
        return
      case 'tooLarge':
        return life.appendTooLarge()
      case 'wait':
        return life.appended()
      case 'read':
        return this.#read(life, name)
      case 'acknowledge':
        return life.acknowledge(name, choice.random())
      case 'acknowledgeAll':
        for (const each of this.#names) await life.acknowledge(each, 1)
        // What follows, the release of segments, has its own moments.
        if (life.mayDie && choice.chance(0.1)) life.disk.dieAt(choice.int(1, 12))
        return
      case 'time':
        return life.pass(choice.int(1, 400))
      case 'longTime':
        return life.pass(choice.int(1000, 40_000))
      case 'turn':
        return new Promise((resolve) => {
          setImmediate(resolve)
        })
      case 'drain':
        return life.drain(name)
    }
  }

  async #read(life: LogLife, name: string): Promise<void> {
    const reading = life.read(name, this.#choice.of([1, 2000, 50_000]))
    if (this.#choice.chance(0.5)) life.meanwhile(reading)
    else await reading
  }

  #append(life: LogLife): void {
    const choice = this.#choice
    const size = choice.of([1, 1, 2, 5, 20])
    const bytes = choice.of([0, 100, 100, 1000, 3000, 20_000])
    const byte = choice.int(0, 255)
    const filling = () => Buffer.alloc(Math.floor((choice.random() * bytes) / size), byte)
    life.meanwhile(life.append(size, filling))
  }

  #checkRecovery({ log }: LogLife): void {
    const { findings } = log.recovery
    if (findings.some(({ kind }) => kind === 'cut-tail')) this.#report.cutTails += 1
    const bad = findings.filter(({ kind }) => !HARMLESS.has(kind))
    assert.deepEqual(bad, [], 'recovery found damage after a power loss')
  }

  /** What only the page cache held may be gone, and is counted then; anything else must not be. */
  #checkLoss({ log }: LogLife): void {
    if (this.#options.durability === 'sync') {
      assert.equal(log.stats().lostEvents, 0, 'events were lost')
    }
  }

  /** In the end the disk is well, and everything is read. */
  async #lastLife(): Promise<void> {
    this.#disk.faults.clear()
    const life = this.#newLife()
    assert.ok(await life.open(), 'the log does not open')
    this.#checkRecovery(life)
    for (const name of this.#names) await life.drain(name)
    await life.settled(
      life.append(1, () => Buffer.alloc(10)),
      'append',
    )
    for (const name of this.#names) {
      await life.drain(name)
      await life.acknowledge(name, 1)
    }
    this.#checkLoss(life)
    assert.ok(await life.close(), 'the log does not close')
    this.#countSegments()
  }

  /** Files keep their numbers, segments get new ids: what was begun more often than files were made is recycled. */
  #countSegments(): void {
    let [segments, files] = [0, 0]
    for (const path of this.#disk.files()) {
      if (!/\/segment-\d+\.wal$/.test(path)) continue
      const header = decodeSegmentHeader(this.#disk.bytes(path).subarray(0, 4096), path)
      segments = Math.max(segments, header?.id ?? 0)
      files = Math.max(files, header?.fileNumber ?? 0)
    }
    this.#report.segments = segments
    this.#report.recycled = Math.max(0, segments - files)
  }
}
