/** What every interceptor promises: order, immutable input, and no look at what it does not need. */
import assert from 'node:assert/strict'
import type { ComponentDefinition, Interceptor } from '@millrace/component'
import { EventBatch } from '@millrace/event'
import { FakeClock } from '../fake-clock.js'
import { definitionCases } from './definition.js'
import { lifecycleCases, type Startable } from './lifecycle.js'
import { createContext, type Settings } from './making.js'
import { bodiesOf, numberedEvents } from './numbered-events.js'
import { resolved } from './settling.js'
import { type TestGlobals, testGlobals } from './test-globals.js'

interface ExampleEvent {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** One event in; what comes out of it, or nothing when it is dropped. */
export interface InterceptorExample {
  readonly title: string
  readonly settings?: Settings
  readonly event: ExampleEvent
  readonly result: ExampleEvent | undefined
}

export interface InterceptorContract {
  readonly definition: ComponentDefinition<'interceptor'>
  readonly settings?: Settings
  /** Time at the fixture's clock, in epoch milliseconds, for interceptors that write it. */
  readonly nowMs?: number
  readonly examples?: readonly InterceptorExample[]
}

interface InterceptorFixture extends Startable {
  readonly interceptor: Interceptor
  readonly settings: Settings
  readonly intercept: (batch: EventBatch) => Promise<EventBatch>
}

const LIVE = new AbortController().signal

async function openInterceptor(
  contract: InterceptorContract,
  given?: Settings,
): Promise<InterceptorFixture> {
  const { definition } = contract
  const settings = given ?? contract.settings ?? {}
  const clock = new FakeClock(contract.nowMs)
  const interceptor = definition.create(createContext(definition, settings, { clock }))
  return Promise.resolve({
    interceptor,
    settings,
    intercept: async (batch: EventBatch) => interceptor.intercept(batch, LIVE),
    start: async (signal: AbortSignal) => {
      await interceptor.start?.({ signal, fail: () => {} })
    },
    stop: async (options: { deadlineMs: number }) => {
      await interceptor.stop?.(options)
    },
    close: async () => {
      await interceptor.stop?.({ deadlineMs: 1_000 })
    },
  })
}

/** Declares the tests of an interceptor. Call it at the top of a mocha test file, or in a `describe`. */
export function interceptorContract(
  contract: InterceptorContract,
  globals: TestGlobals = testGlobals(),
): void {
  const { definition, examples = [] } = contract
  const test = (
    title: string,
    body: (fixture: InterceptorFixture) => Promise<void>,
    settings?: Settings,
  ) =>
    globals.it(title, async () => {
      const fixture = await openInterceptor(contract, settings)
      try {
        await fixture.start(LIVE)
        await body(fixture)
      } finally {
        await fixture.close()
      }
    })
  globals.describe(`interceptor ${definition.alias ?? definition.classNames[0]}`, () => {
    definitionCases(definition, () => openInterceptor(contract), globals)
    lifecycleCases(() => openInterceptor(contract), globals)
    for (const { title, event, result, settings } of examples) {
      const check = async ({ intercept }: InterceptorFixture) => {
        const batch = await resolved(intercept(EventBatch.of([event])), 'intercept')
        assert.deepEqual(eventsOf(batch), result ? [{ headers: {}, body: '', ...result }] : [])
      }
      test(title, check, settings)
    }
    generalCases(test)
  })
}

function generalCases(
  it: (title: string, body: (fixture: InterceptorFixture) => Promise<void>) => void,
): void {
  it('keeps the order, and makes no events', async ({ intercept }) => {
    const given = numberedEvents(0, 50)
    const result = await resolved(intercept(given), 'intercept')
    assert.ok(result.size <= given.size)
    const numbers = Array.from({ length: result.size }, (_, i) => result.headerAt(i, 'number'))
    const order = numbers.filter((number) => number !== undefined).map(Number)
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    )
  })

  it('leaves the batch that it gets as it is', async ({ intercept }) => {
    const given = numberedEvents(0, 20)
    const before = Buffer.from(given.bytes)
    await resolved(intercept(given), 'intercept')
    assert.ok(given.bytes.equals(before))
    assert.equal(given.size, 20)
  })

  it('gives an empty batch for an empty batch', async ({ intercept }) => {
    assert.equal((await resolved(intercept(EventBatch.empty()), 'intercept')).size, 0)
  })

  it('does the same to an event, whatever batch it comes in', async ({ intercept }) => {
    const whole = await resolved(intercept(numberedEvents(0, 6)), 'intercept')
    const parts: EventBatch[] = []
    for (const [from, count] of [
      [0, 1],
      [1, 3],
      [4, 2],
    ] as const) {
      parts.push(await resolved(intercept(numberedEvents(from, count)), 'intercept'))
    }
    const joined = EventBatch.concat(parts)
    assert.equal(joined.size, whole.size)
    assert.deepEqual(bodiesOf(joined), bodiesOf(whole))
    assert.deepEqual(headerNames(joined), headerNames(whole))
  })

  it('takes events whose headers are no valid text', async ({ intercept }) => {
    const key = Buffer.from([0xff, 0xfe])
    const event = Buffer.concat([Buffer.from([2, 4]), key, Buffer.from([2, 0x80, 0, 2, 0x41])])
    const { batch } = EventBatch.scanEvent(event)
    const result = await resolved(intercept(batch), 'intercept')
    if (result.size === 1) assert.ok(result.bytes.includes(key), 'the key is as it came')
  })
}

function headerNames(batch: EventBatch): string[][] {
  return Array.from({ length: batch.size }, (_, i) => Object.keys(batch.headersAt(i)).toSorted())
}

function eventsOf(batch: EventBatch): ExampleEvent[] {
  return Array.from({ length: batch.size }, (_, i) => ({
    headers: { ...batch.headersAt(i) },
    body: batch.bodyAt(i).toString(),
  }))
}
