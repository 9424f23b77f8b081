/** What every source promises: what it acknowledges is delivered, in order; it waits; it ends. */
import assert from 'node:assert/strict'
import { ChannelError, deferred } from '@millrace/runtime'
import { until } from '../until.js'
import { definitionCases } from './definition.js'
import { lifecycleCases, stopInTime } from './lifecycle.js'
import { numbers } from './numbered-events.js'
import { watchResources } from './resources.js'
import { isPending, rejected, resolved, settled } from './settling.js'
import { type SourceContract, SourceFixture } from './source-fixture.js'
import { type TestGlobals, testGlobals } from './test-globals.js'

export type { SourceContract, SourcePeer } from './source-fixture.js'

type DeclareCase = (title: string, body: (fixture: SourceFixture) => Promise<void>) => void

const LIVE = new AbortController().signal
const FLOOD_BYTES = 64 * 1024 * 1024
/** Nothing goes out for this long, in milliseconds: the source reads on no more. */
const STILL_MS = 300

const full = () => Promise.reject(new ChannelError('MILLRACE_CHANNEL_FULL', 'The channel is full'))

/** Declares the tests of a source. Call it at the top of a mocha test file, or in a `describe`. */
export function sourceContract(
  contract: SourceContract,
  globals: TestGlobals = testGlobals(),
): void {
  const { definition } = contract
  const it: DeclareCase = (title, body) =>
    globals.it(title, async () => {
      const fixture = await SourceFixture.open(contract)
      try {
        await fixture.start(LIVE)
        await body(fixture)
      } finally {
        await fixture.close()
      }
    })
  globals.describe(`source ${definition.alias ?? definition.classNames[0]}`, () => {
    definitionCases(definition, () => SourceFixture.open(contract), globals)
    lifecycleCases(() => SourceFixture.open(contract), globals)
    deliveryCases(it, contract)
    waitingCases(it, contract)
    endCases(it, contract)
  })
}

function deliveryCases(it: DeclareCase, contract: SourceContract): void {
  const { counts = ['eventReceivedCount', 'eventAcceptedCount'], tellsRefusal = true } = contract

  it('delivers what it is sent, in order', async (fixture) => {
    const { peer, delivered } = fixture
    for (let at = 0; at < 20; at += 5) {
      const before = delivered.length
      await resolved(fixture.bring(numbers(at, 5)), 'the sending')
      await until(() => delivered.length > before, { what: 'a delivery' })
      if (peer.send || peer.leave) assert.deepEqual(delivered, numbers(0, at + 5))
    }
  })

  it('moves its counters', async (fixture) => {
    await resolved(fixture.bring(numbers(0, 3)), 'the sending')
    const { delivered, counters } = fixture
    for (const name of counts) {
      assert.ok(counters[name] > 0, `${name} has moved`)
      if (/^event(Received|Accepted)/.test(name))
        assert.equal(counters[name], delivered.length, name)
    }
  })

  it('loses nothing that a full channel refuses for a while', async (fixture) => {
    let refusals = 2
    fixture.answer = () => (refusals-- > 0 ? full() : Promise.resolve())
    const { peer, offered, delivered } = fixture
    if (peer.send && tellsRefusal) {
      await rejected(fixture.bring(['a']), 'the first sending into a full channel')
      await rejected(fixture.bring(['a']), 'the second sending into a full channel')
      assert.deepEqual(delivered, [])
      await resolved(fixture.bring(['a']), 'the sending when there is room')
    } else {
      for (let i = 0; i < 5 && delivered.length === 0; i += 1) {
        await settled(fixture.bring(['a']), 'the sending', 15_000)
      }
    }
    assert.ok(offered.length > 0)
    const missing = offered.filter((body) => !delivered.includes(body))
    assert.deepEqual(missing, [], 'what was refused is delivered in the end')
  })

  it('accounts for a refused batch as not accepted', async (fixture) => {
    if (!counts.includes('eventAcceptedCount')) return
    fixture.answer = full
    if (tellsRefusal) await settled(fixture.bring(['a']), 'the sending into a full channel')
    else {
      void settled(fixture.bring(['a']), 'the sending into a full channel', 60_000)
      await until(() => fixture.calls > 0, { what: 'a delivery' })
    }
    assert.equal(fixture.counters.eventAcceptedCount, 0)
  })
}

function waitingCases(it: DeclareCase, { maxFloodBytes = FLOOD_BYTES }: SourceContract): void {
  it('acknowledges no earlier than the channels have stored', async (fixture) => {
    if (!fixture.peer.send) return
    const stored = deferred<void>()
    fixture.answer = () => stored.promise
    const sending = fixture.bring(['a'])
    await until(() => fixture.calls > 0, { what: 'the delivery' })
    assert.ok(await isPending(sending), 'no answer before the events are stored')
    stored.resolve()
    await resolved(sending, 'the sending')
  })

  it('reads on no more while nothing is delivered, and goes on afterwards', async (fixture) => {
    const { peer } = fixture
    if (!peer.flood) return
    const stored = deferred<void>()
    fixture.answer = () => stored.promise
    const controller = new AbortController()
    let sent = 0
    let lastMs = performance.now()
    const flooding = peer.flood(controller.signal, (bytes) => {
      sent += bytes
      lastMs = performance.now()
      if (sent > maxFloodBytes) controller.abort()
    })
    try {
      await until(() => sent > 0 && performance.now() - lastMs > STILL_MS, {
        timeoutMs: 15_000,
        what: () => `the source to read on no more; it has taken ${sent} bytes`,
      })
      assert.ok(sent <= maxFloodBytes, `${sent} bytes were taken, and nothing is delivered`)
      const before = sent
      stored.resolve()
      await until(() => sent > before, { what: 'the source to read on', timeoutMs: 10_000 })
    } finally {
      stored.resolve()
      controller.abort()
      await settled(flooding, 'the flood')
    }
  })

  it('ends a round whose signal is aborted', async (fixture) => {
    const { source } = fixture
    if (!source.process) return
    fixture.answer = (_, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason))
      })
    const controller = new AbortController()
    const round = settled(source.process(controller.signal), 'the round')
    setImmediate(() => controller.abort())
    await round
  })
}

function endCases(it: DeclareCase, { answersAtStop = true }: SourceContract): void {
  it('stops within its deadline while a delivery hangs', async (fixture) => {
    const never = deferred<void>()
    fixture.answer = () => never.promise
    const sending = settled(fixture.bring(['a']), 'the sending', 15_000)
    await until(() => fixture.calls > 0, { what: 'the delivery' })
    await stopInTime(fixture, 200)
    never.reject(new ChannelError('MILLRACE_CHANNEL_CLOSED', 'The channel is stopped'))
    if (fixture.peer.leave && !fixture.source.process) return
    const outcome = await sending
    if (fixture.peer.send) assert.equal(outcome.status, 'rejected', 'nothing was stored')
  })

  it('acknowledges while it stops what is stored in time', async (fixture) => {
    if (!fixture.peer.send || !answersAtStop) return
    const stored = deferred<void>()
    fixture.answer = () => stored.promise
    const sending = settled(fixture.bring(['a']), 'the sending')
    await until(() => fixture.calls > 0, { what: 'the delivery' })
    const stopping = stopInTime(fixture, 5_000)
    assert.ok(await isPending(stopping), 'the stop waits for what is under way')
    stored.resolve()
    await stopping
    assert.equal((await sending).status, 'resolved')
    assert.deepEqual(fixture.delivered, ['a'])
  })

  it('accepts nothing after its stop, and again after a start', async (fixture) => {
    if (!fixture.peer.send) return
    await resolved(fixture.bring(['a']), 'the sending')
    await stopInTime(fixture)
    const { calls } = fixture
    await rejected(fixture.bring(['b']), 'the sending to a stopped source')
    assert.equal(fixture.calls, calls)
    await resolved(fixture.start(LIVE), 'start')
    await resolved(fixture.bring(['c']), 'the sending after a second start')
    assert.deepEqual(fixture.delivered, ['a', 'c'])
  })

  it('leaves nothing open when it has delivered and stopped', async (fixture) => {
    await stopInTime(fixture)
    const nothingLeft = watchResources()
    for (let round = 0; round < 3; round += 1) {
      await resolved(fixture.start(LIVE), 'start')
      await resolved(fixture.bring(['a']), 'the sending')
      await stopInTime(fixture)
    }
    await nothingLeft()
  })
}
