/** What every RPC client promises: resolved is acknowledged, rejected says whether to repeat, closed is over. */
import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'
import type { RpcClient } from '@millrace/rpc'
import { delay, MillraceError, seededRandom } from '@millrace/runtime'
import { type MockReceiver, mockReceiver, type ReceiverResponse } from '../receiver.js'
import { until } from '../until.js'
import { numberedEvents, numbers } from './numbered-events.js'
import { watchResources } from './resources.js'
import { isPending, rejected, resolved, settled } from './settling.js'
import { type TestGlobals, testGlobals } from './test-globals.js'

export interface RpcClientContract {
  readonly name: string
  /** How many receivers the client gets. */
  readonly receivers: number
  /**
   * Makes a client of the receivers. Its time limits are to be some hundred milliseconds, and its
   * batch size 10.
   */
  readonly create: (receivers: readonly MockReceiver[]) => Promise<RpcClient> | RpcClient
  /** How long it leaves a failing receiver out at most, in milliseconds. Default 0. */
  readonly maxBackoffMs?: number
}

interface Fixture {
  readonly receivers: readonly MockReceiver[]
  /** Bodies that all receivers have kept, in order for each of them. */
  readonly texts: () => string[]
  readonly respond: (response: ReceiverResponse) => void
  /** A new client, closed when the test ends. */
  readonly create: () => Promise<RpcClient>
  /** Waits until no receiver is left out any more. */
  readonly backedOff: () => Promise<void>
}

type DeclareCase = (title: string, body: (fixture: Fixture) => Promise<void>) => void

/** Declares the tests of a client. Call it at the top of a mocha test file, or in a `describe`. */
export function rpcClientContract(
  contract: RpcClientContract,
  globals: TestGlobals = testGlobals(),
): void {
  const it: DeclareCase = (title, body) =>
    globals.it(title, async () => {
      const receivers: MockReceiver[] = []
      const clients: RpcClient[] = []
      try {
        for (let i = 0; i < contract.receivers; i += 1) receivers.push(await mockReceiver())
        const create = async () => {
          const client = await contract.create(receivers)
          clients.push(client)
          return client
        }
        const texts = () => receivers.flatMap(({ events }) => events.map((event) => event.text))
        const respond = (response: ReceiverResponse) => {
          for (const receiver of receivers) receiver.respond(response)
        }
        const backedOff = () => delay(contract.maxBackoffMs ? contract.maxBackoffMs + 2 : 0)
        await body({ receivers, texts, respond, create, backedOff })
      } finally {
        for (const client of clients) await resolved(client.close(), 'close')
        for (const receiver of receivers) await receiver.close()
      }
    })
  globals.describe(`RPC client ${contract.name}`, () => {
    callCases(it)
    failureCases(it)
    endCases(it)
    if (contract.receivers > 1) severalCases(it)
  })
}

const inOrder = (texts: readonly string[]) => texts.toSorted((a, b) => Number(a) - Number(b))

function callCases(it: DeclareCase): void {
  it('brings one event by append and several by appendBatch', async ({
    create,
    receivers,
    texts,
  }) => {
    const client = await create()
    await resolved(client.append(numberedEvents(0, 1)), 'append')
    await resolved(client.appendBatch(numberedEvents(1, 4)), 'appendBatch')
    assert.deepEqual(inOrder(texts()), numbers(0, 5))
    const [first] = receivers.flatMap(({ events }) => events)
    assert.deepEqual(first?.headers, { number: '0' })
    assert.equal(client.isActive, true)
  })

  it('sends nothing for an empty batch', async ({ create, receivers }) => {
    const client = await create()
    await resolved(client.appendBatch(EventBatch.empty()), 'appendBatch')
    assert.deepEqual(
      receivers.flatMap(({ calls }) => calls),
      [],
    )
  })

  it('sends more events than its batch size in several calls, in order', async (fixture) => {
    const client = await fixture.create()
    await resolved(client.appendBatch(numberedEvents(0, 35)), 'appendBatch')
    assert.deepEqual(inOrder(fixture.texts()), numbers(0, 35))
    for (const { calls, events } of fixture.receivers) {
      assert.ok(calls.every((call) => call.size <= 10))
      const texts = events.map((event) => event.text)
      assert.deepEqual(texts, inOrder(texts))
    }
  })

  it('takes calls at the same time, and keeps their order', async ({
    create,
    receivers,
    texts,
  }) => {
    const client = await create()
    const calls = [0, 3, 6, 9].map((from) => client.appendBatch(numberedEvents(from, 3)))
    await resolved(Promise.all(calls), 'the calls')
    assert.deepEqual(inOrder(texts()), numbers(0, 12))
    for (const { events } of receivers) {
      const each = events.map((event) => event.text)
      assert.deepEqual(each, inOrder(each))
    }
  })

  it('carries bytes that are no text', async ({ create, receivers }) => {
    const client = await create()
    const body = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    await resolved(client.appendBatch(EventBatch.of([{ headers: { '': '' }, body }])), 'append')
    const [event] = receivers.flatMap(({ events }) => events)
    assert.deepEqual(event && [event.headers, event.body], [{ '': '' }, body])
  })
}

function assertRetryable(error: unknown): void {
  assert.ok(MillraceError.is(error), `an error of Millrace, not ${String(error)}`)
  assert.match(error.code, /^MILLRACE_RPC_/)
  assert.ok(error.retryable, `${error.code} is worth a retry`)
}

function failureCases(it: DeclareCase): void {
  for (const response of ['fail', 'hang', 'drop'] as const) {
    it(`rejects, worth a retry, when every receiver would ${response}`, async (fixture) => {
      const client = await fixture.create()
      fixture.respond(response)
      const other = await fixture.create()
      const calls = [client.appendBatch(numberedEvents(0, 2)), other.append(numberedEvents(0, 1))]
      const errors = await Promise.all(calls.map((call) => rejected(call, 'the call', 10_000)))
      for (const error of errors) assertRetryable(error)
      assert.deepEqual(fixture.texts(), [])
    })
  }

  it('rejects, worth a retry, when nobody listens', async (fixture) => {
    for (const receiver of fixture.receivers) await receiver.close()
    const call = async () => {
      const client = await fixture.create()
      await client.appendBatch(numberedEvents(0, 2))
    }
    assertRetryable(await rejected(call(), 'making a client and a call', 10_000))
  })

  it('delivers everything that it acknowledges, however often receivers fail', async (fixture) => {
    const random = seededRandom(11)
    const responses = ['ok', 'ok', 'ok', 'fail', 'drop', 'keep-then-drop'] as const
    for (const receiver of fixture.receivers) {
      receiver.respond(() => responses[Math.floor(random() * responses.length)] ?? 'ok')
    }
    let client = await fixture.create()
    for (let from = 0; from < 60; from += 3) {
      for (let attempt = 0; ; attempt += 1) {
        const outcome = await settled(
          client.appendBatch(numberedEvents(from, 3)),
          'the call',
          10_000,
        )
        if (outcome.status === 'resolved') break
        assertRetryable(outcome.error)
        assert.ok(attempt < 50, 'a repeated call succeeds in the end')
        await fixture.backedOff()
        if (client.isActive) continue
        await client.close()
        client = await fixture.create()
      }
    }
    assert.deepEqual(inOrder([...new Set(fixture.texts())]), numbers(0, 60))
  })

  it('gives a call up when its signal is aborted', async ({
    create,
    respond,
    receivers,
    texts,
  }) => {
    const client = await create()
    const early = client.appendBatch(numberedEvents(0, 2), { signal: AbortSignal.abort() })
    assertAborted(await rejected(early, 'a call with an aborted signal'))
    assert.deepEqual(texts(), [])
    respond('hang')
    const controller = new AbortController()
    const call = (await create()).appendBatch(numberedEvents(0, 2), { signal: controller.signal })
    const outcome = settled(call, 'an aborted call', 1_000)
    const hasBegun = () => receivers.some(({ calls }) => calls.length > 0)
    await until(hasBegun, { what: 'the call', timeoutMs: 200 }).catch(() => {})
    controller.abort()
    const { status } = await outcome
    assert.equal(status, 'rejected')
  })
}

function assertAborted(error: unknown): void {
  assert.ok(MillraceError.is(error) && error.code === 'MILLRACE_ABORTED', String(error))
}

function endCases(it: DeclareCase): void {
  it('closes twice, before any call and after calls, and leaves nothing open', async (fixture) => {
    await (await fixture.create()).close()
    for (const receiver of fixture.receivers) receiver.disconnect()
    await until(() => fixture.receivers.every((each) => each.connectionCount === 0), {
      what: 'the connections to go',
    })
    const nothingLeft = watchResources()
    for (let i = 0; i < 3; i += 1) {
      const client = await fixture.create()
      if (i > 0) await resolved(client.appendBatch(numberedEvents(0, 2)), 'the call')
      await resolved(client.close(), 'close')
      await resolved(client.close(), 'the second close')
      assert.equal(client.isActive, false)
    }
    await nothingLeft()
  })

  it('rejects calls after its close, and the one that it interrupts', async ({
    create,
    respond,
  }) => {
    const client = await create()
    respond('hang')
    const call = client.appendBatch(numberedEvents(0, 2))
    await isPending(call)
    await resolved(client.close(), 'close')
    assert.ok(MillraceError.is(await rejected(call, 'the interrupted call')))
    assert.ok(MillraceError.is(await rejected(client.append(numberedEvents(0, 1)), 'append')))
    const late = client.appendBatch(numberedEvents(0, 2))
    assert.ok(MillraceError.is(await rejected(late, 'appendBatch')))
  })
}

function severalCases(it: DeclareCase): void {
  it('goes on with the other receivers when one is gone', async (fixture) => {
    const { create, receivers, texts } = fixture
    const client = await create()
    await resolved(client.appendBatch(numberedEvents(0, 2)), 'the call')
    for (const [i, receiver] of receivers.entries()) {
      await receiver.close()
      const from = 2 + i * 6
      for (let at = from; at < from + 6; at += 2) {
        await resolved(client.appendBatch(numberedEvents(at, 2)), 'a call with one receiver less')
      }
      await receiver.reopen()
      await fixture.backedOff()
    }
    assert.deepEqual(inOrder([...new Set(texts())]), numbers(0, 2 + receivers.length * 6))
  })
}
