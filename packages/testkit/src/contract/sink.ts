/** What every sink promises: resolved is safe, thrown is unknown, aborted is given up, stopped is over. */
import assert from 'node:assert/strict'
import {
  type ComponentDefinition,
  type EventSerializer,
  type Sink,
  SinkCounters,
} from '@millrace/component'
import { EventBatch } from '@millrace/event'
import { type Clock, MillraceError, systemClock } from '@millrace/runtime'
import { definitionCases } from './definition.js'
import { lifecycleCases, type Startable, stopInTime } from './lifecycle.js'
import { type CounterName, createContext, type Settings } from './making.js'
import { numberedEvents, numbers } from './numbered-events.js'
import { watchResources } from './resources.js'
import { rejected, resolved, settled } from './settling.js'
import { type TestGlobals, testGlobals } from './test-globals.js'

/** The destination of a sink, made anew for each test. Only `settings` is needed. */
export interface SinkPeer {
  readonly settings: Settings
  /** Bodies that have arrived, in order. */
  arrived?(): Promise<readonly string[]> | readonly string[]
  /** From now on a write fails, until `repair`. */
  breakDown?(): Promise<void> | void
  repair?(): Promise<void> | void
  /** From now on the destination takes what comes and never answers. */
  hang?(): Promise<void> | void
  close?(): Promise<void> | void
}

export interface SinkContract {
  readonly definition: ComponentDefinition<'sink'>
  readonly open: () => Promise<SinkPeer> | SinkPeer
  /** For a sink that writes files: one line of text for each body where this is not given. */
  readonly createSerializer?: () => EventSerializer
  /** Counters that a successful write moves. Default none: the agent counts the drained events. */
  readonly counts?: readonly CounterName<SinkCounters>[]
  readonly clock?: Clock
}

interface SinkFixture extends Startable {
  readonly sink: Sink
  readonly peer: SinkPeer
  readonly settings: Settings
  readonly counters: SinkCounters
  readonly write: (batch: EventBatch, signal?: AbortSignal) => Promise<unknown>
}

type SinkCase = (fixture: SinkFixture) => Promise<void>
type DeclareCase = (title: string, body: SinkCase) => void

const LIVE = new AbortController().signal

const lines = (): EventSerializer => ({
  serialize: (batch) =>
    Buffer.concat(Array.from({ length: batch.size }, (_, i) => [batch.bodyAt(i), NEWLINE]).flat()),
})
const NEWLINE = Buffer.from('\n')

async function openSink(contract: SinkContract): Promise<SinkFixture> {
  const { definition, createSerializer = lines, clock = systemClock } = contract
  const peer = await contract.open()
  const { settings } = peer
  const context = createContext(definition, settings, { clock })
  const sink = definition.create({ ...context, createSerializer })
  const counters = new SinkCounters()
  return {
    sink,
    peer,
    settings,
    counters,
    write: async (batch, signal = LIVE) => sink.write(batch, signal),
    start: async (signal) => {
      await sink.start?.({ signal, counters, isChannelDurable: false, fail: () => {} })
    },
    stop: async (options) => {
      await sink.stop?.(options)
    },
    close: async () => {
      await sink.stop?.({ deadlineMs: 1_000 })
      await peer.close?.()
    },
  }
}

/** Declares the tests of a sink. Call it at the top of a mocha test file, or in a `describe`. */
export function sinkContract(contract: SinkContract, globals: TestGlobals = testGlobals()): void {
  const { definition } = contract
  const it: DeclareCase = (title, body) =>
    globals.it(title, async () => {
      const fixture = await openSink(contract)
      try {
        await fixture.start(LIVE)
        await body(fixture)
      } finally {
        await fixture.close()
      }
    })
  globals.describe(`sink ${definition.alias ?? definition.classNames[0]}`, () => {
    definitionCases(definition, () => openSink(contract), globals)
    lifecycleCases(() => openSink(contract), globals)
    writeCases(it, contract.counts ?? [])
    faultCases(it)
    endCases(it)
  })
}

function writeCases(it: DeclareCase, counts: readonly CounterName<SinkCounters>[]): void {
  it('has a batch size', ({ sink }) => {
    assert.ok(Number.isSafeInteger(sink.batchSize) && sink.batchSize > 0, String(sink.batchSize))
    return Promise.resolve()
  })

  it('has stored a batch, in order, when its write resolves', async ({ write, peer }) => {
    for (let at = 0; at < 30; at += 10) {
      await resolved(write(numberedEvents(at, 10)), 'write')
      const arrived = await peer.arrived?.()
      if (arrived) assert.deepEqual(arrived, numbers(0, at + 10))
    }
  })

  it('writes events without headers, without a body, and with bytes that are no text', async (f) => {
    const batch = EventBatch.of([
      { body: 'plain' },
      { headers: { a: '' }, body: '' },
      { headers: { ключ: '值\u0000\n' }, body: Buffer.from([0, 255, 10, 13, 254]) },
    ])
    const before = Buffer.from(batch.bytes)
    await resolved(f.write(batch), 'write')
    assert.ok(batch.bytes.equals(before), 'the batch is as it was')
  })

  it('moves its counters', async ({ write, counters }) => {
    await resolved(write(numberedEvents(0, 3)), 'write')
    for (const name of counts) assert.ok(counters[name] > 0, `${name} has moved`)
  })

  it('writes again after a stop and a start, and leaves nothing open', async (fixture) => {
    await stopInTime(fixture)
    const nothingLeft = watchResources()
    for (let round = 0; round < 3; round += 1) {
      await resolved(fixture.start(LIVE), 'start')
      await resolved(fixture.write(numberedEvents(round, 1)), 'write')
      await stopInTime(fixture)
    }
    await nothingLeft()
    const arrived = await fixture.peer.arrived?.()
    if (arrived) assert.deepEqual(arrived, numbers(0, 3))
  })
}

function faultCases(it: DeclareCase): void {
  it('throws while its destination is down, and stores everything after', async (fixture) => {
    const { peer, write } = fixture
    if (!peer.breakDown || !peer.repair) return
    await resolved(write(numberedEvents(0, 5)), 'write')
    await peer.breakDown()
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const error = await rejected(write(numberedEvents(5, 5)), 'a write that cannot succeed')
      assert.ok(error instanceof Error, 'throws an Error')
      if (MillraceError.is(error)) assert.ok(error.retryable, `${error.code} is worth a retry`)
    }
    await peer.repair()
    await repeatUntilWritten(fixture, numberedEvents(5, 5))
    const arrived = await peer.arrived?.()
    if (!arrived) return
    const missing = numbers(0, 10).filter((body) => !arrived.includes(body))
    assert.deepEqual(missing, [], 'what was written is there')
  })

  it('gives a write up when its signal is aborted', async ({ peer, write }) => {
    await settled(
      write(numberedEvents(0, 1), AbortSignal.abort()),
      'a write with an aborted signal',
    )
    if (!peer.hang) return
    await peer.hang()
    const controller = new AbortController()
    const writing = settled(write(numberedEvents(1, 3), controller.signal), 'an aborted write')
    setImmediate(() => controller.abort())
    assert.equal((await writing).status, 'rejected', 'nothing says that the events are stored')
  })

  it('stops within its deadline while a write gets no answer', async ({ peer, write, stop }) => {
    if (!peer.hang) return
    await peer.hang()
    const controller = new AbortController()
    const writing = settled(write(numberedEvents(0, 3), controller.signal), 'the write', 10_000)
    await stopInTime({ stop }, 300)
    controller.abort()
    assert.equal((await writing).status, 'rejected', 'nothing says that the events are stored')
  })
}

function endCases(it: DeclareCase): void {
  it('settles a write after its stop', async ({ write, stop, peer }) => {
    await stopInTime({ stop })
    const outcome = await settled(write(numberedEvents(0, 2)), 'a write after the stop')
    const arrived = await peer.arrived?.()
    if (outcome.status === 'resolved' && arrived) assert.deepEqual(arrived, numbers(0, 2))
  })
}

/** A destination that is back may need some attempts to be found again. */
async function repeatUntilWritten({ write }: SinkFixture, batch: EventBatch): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await settled(write(batch), 'a write after the repair', 10_000)
    if (outcome.status === 'resolved') return
    if (attempt === 20) throw new Error('Never written after the repair', { cause: outcome.error })
  }
}
