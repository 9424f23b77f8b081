import assert from 'node:assert/strict'
import { LogError } from '@millrace/runtime'
import type { Disk, LockDirectory } from '@millrace/wal'
import * as fc from 'fast-check'
import {
  type Bench,
  bench,
  type FakeReceiver,
  imbalance,
  record,
} from '../../support/fake-receiver.js'
import { guardedDisk } from '../../support/guarded-disk.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

/** The longest that the real disk may need for all that is left, in milliseconds. */
const DELIVERY_MS = 10_000

type Step =
  | { readonly kind: 'log'; readonly count: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'down' | 'up' | 'close' | 'kill' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('log' as const), count: fc.nat({ max: 60 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 3_000 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('down', 'up', 'close', 'kill') }),
  },
)

/** The disk and the locks of one process after the other: a killed one holds nothing, and does nothing any more. */
function processes() {
  const owners = new Map<string, object>()
  let living = {}
  const start = (): { disk: Disk; lock: LockDirectory } => {
    const life = {}
    living = life
    const mustLive = () => {
      if (life !== living) throw new Error('killed')
    }
    const take = (directory: string) => {
      mustLive()
      if (owners.has(directory)) {
        throw new LogError('MILLRACE_LOG_IN_USE', `${directory} is in use`)
      }
      owners.set(directory, life)
      return {
        release: () => {
          if (owners.get(directory) === life) owners.delete(directory)
        },
      }
    }
    const lock = { takeSync: take, take: async (directory: string) => take(directory) }
    return { disk: guardedDisk(mustLive, 'all'), lock }
  }
  return { start, kill: () => owners.clear() }
}

/** An application over several lives, of which each may end in an unexpected way. */
class Lives {
  logged = 0
  readonly #directory = temporaryDirectory()
  readonly #machine = processes()
  readonly #maxEvents: number
  readonly #all: Bench[] = []

  constructor(maxEvents: number) {
    this.#maxEvents = maxEvents
    this.#start()
  }

  get current(): Bench {
    return this.#all.at(-1) as Bench
  }

  get stored(): number {
    const stored = this.#all.flatMap(({ receivers }) =>
      Object.values(receivers).flatMap((each) => each.stored),
    )
    return new Set(stored).size
  }

  async take(one: Step): Promise<void> {
    switch (one.kind) {
      case 'log':
        this.#log(one.count)
        break
      case 'wait':
        await this.current.clock.advance(one.ms)
        break
      case 'down':
        this.#receiver.kill()
        break
      case 'up':
        this.#receiver.isUp = true
        break
      case 'close':
        this.#receiver.kill()
        await close(this.current)
        assert.equal(this.current.appender.state().queued, 0)
        assert.equal(imbalance(this.current.appender), 0)
        this.#start()
        break
      case 'kill':
        this.#receiver.kill()
        this.#machine.kill()
        this.#start()
        break
    }
    this.#check()
  }

  /** With a receiver that answers: until it has all, or too long. */
  async deliver(): Promise<void> {
    this.#receiver.isUp = true
    const end = performance.now() + DELIVERY_MS
    while (this.stored < this.logged && performance.now() < end) {
      await this.current.clock.advance(1_000)
      await turn()
      this.#check()
    }
    assert.equal(this.stored, this.logged, this.#story)
    await close(this.current)
  }

  get #receiver(): FakeReceiver {
    return Object.values(this.current.receivers)[0] as FakeReceiver
  }

  get #story(): string {
    return JSON.stringify(
      this.#all.map(({ appender, diagnostics }) => [appender.state(), diagnostics]),
    )
  }

  #log(count: number): void {
    for (let i = 0; i < count; i += 1) {
      this.current.appender.append(record(String(this.logged)))
      this.logged += 1
      assert.equal(imbalance(this.current.appender), 0)
    }
  }

  #check(): void {
    const { appender } = this.current
    assert.equal(imbalance(appender), 0)
    const { queued, inFlight } = appender.state()
    assert.ok(queued + inFlight <= 2 * this.#maxEvents + 20)
  }

  #start(): void {
    const queue = {
      policy: 'spool',
      directory: this.#directory,
      maxEvents: this.#maxEvents,
    } as const
    this.#all.push(
      bench(
        { backoff: { minMs: 100, maxMs: 1_000 }, batch: { maxEvents: 10 }, queue },
        { spoolDisk: this.#machine.start() },
      ),
    )
  }
}

/** Closes without waiting for deliveries: turns the clock until the disk, which is a real one, is done. */
async function close({ appender, clock }: Bench): Promise<void> {
  let isClosed = false
  const closing = appender.close({ timeoutMs: 0 }).finally(() => {
    isClosed = true
  })
  while (!isClosed) {
    await clock.advance(1)
    await turn()
  }
  await closing
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

describe('conservation of events in a spool', () => {
  it('accounts for every record at every instant and across restarts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 25 }),
        fc.integer({ min: 4, max: 60 }),
        async (steps, maxEvents) => {
          const lives = new Lives(maxEvents)
          for (const one of steps) await lives.take(one)
          await lives.deliver()
        },
      ),
      { numRuns: 25 },
    )
  }).timeout(60_000)
})
