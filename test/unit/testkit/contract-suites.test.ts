import assert from 'node:assert/strict'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { createServer } from 'node:net'
import { memoryChannel } from '@millrace/agent-core/internal/channels/memory'
import {
  type Channel,
  type ComponentDefinition,
  defineInterceptor,
  defineSelector,
  defineSerializer,
  defineSink,
  defineSinkProcessor,
  defineSource,
  option,
  type Sink,
  type Transaction,
} from '@millrace/component'
import { EventBatch } from '@millrace/event'
import {
  channelContract,
  interceptorContract,
  selectorContract,
  serializerContract,
  sinkContract,
  sinkProcessorContract,
  sourceContract,
  type TestGlobals,
  watchResources,
} from '@millrace/testkit'

/** Declares a suite, runs it, and gives the titles of the tests that fail. */
async function failuresOf(
  declare: (globals: TestGlobals) => void,
  only: RegExp = /./,
): Promise<string[]> {
  const tests: { title: string; body: () => Promise<void> | void }[] = []
  declare({ describe: (_, body) => body(), it: (title, body) => tests.push({ title, body }) })
  const failures: string[] = []
  for (const { title, body } of tests.filter((test) => only.test(test.title))) {
    try {
      await body()
    } catch {
      failures.push(title)
    }
  }
  assert.ok(tests.length > 0)
  return failures
}

/** The memory channel with some of its methods replaced. */
function brokenChannel(
  breakIt: (channel: Channel) => Partial<Channel>,
): ComponentDefinition<'channel'> {
  return {
    ...(memoryChannel as unknown as ComponentDefinition<'channel'>),
    create: (context) => {
      const channel = memoryChannel.create(context as never)
      const replaced = breakIt(channel)
      return new Proxy(channel, {
        get: (target, key) => {
          const own: unknown = Reflect.get(replaced, key)
          if (own !== undefined) return own
          const value: unknown = Reflect.get(target, key)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    },
  }
}

const changedTake = (change: (transaction: Transaction) => Partial<Transaction>) =>
  brokenChannel((channel) => ({
    take: async (limit, signal) => {
      const taken = await channel.take(limit, signal)
      if (!taken) return undefined
      const given: Transaction = {
        batch: taken.batch,
        commit: (options) => taken.commit(options),
        rollback: () => taken.rollback(),
      }
      return { ...given, ...change(taken) }
    },
  }))

const ordinaryOptions = { size: option.int('size', { description: 'A size.', default: 1 }) }
const described = { alias: 'bad', classNames: [], summary: 'A component with a fault.' }

describe('channelContract', () => {
  const failures = (definition: ComponentDefinition<'channel'>, only?: RegExp) =>
    failuresOf((globals) => channelContract({ definition }, globals), only)

  it('finds nothing wrong with a channel that keeps it', async () => {
    assert.deepEqual(await failures(memoryChannel as unknown as ComponentDefinition<'channel'>), [])
  })

  it('finds a rollback that loses events', async () => {
    const definition = changedTake((taken) => ({ rollback: () => taken.commit() }))
    const found = await failures(definition, /rolled back events again|loses and doubles/)
    assert.equal(found.length, 5)
  })

  it('finds a commit that ignores its exceptions', async () => {
    const definition = changedTake((taken) => ({ commit: () => taken.commit() }))
    assert.equal((await failures(definition, /leaves out|seed 1/)).length, 2)
  })

  it('finds a commit that doubles events', async () => {
    const definition = changedTake((taken) => ({ commit: () => taken.rollback() }))
    assert.equal((await failures(definition, /leaves out|seed 2/)).length, 2)
  })

  it('finds a channel that has no limit', async () => {
    const definition = brokenChannel((channel) => ({
      reserve: (size, options) => channel.reserve({ ...size, events: 0 }, options),
    }))
    const found = await failures(definition, /refuses a put when it is full|above its transaction/)
    assert.equal(found.length, 2)
  })

  it('finds a channel that only says that it is durable', async () => {
    const definition = brokenChannel(() => ({ isDurable: true }))
    const found = await failuresOf(
      (globals) => channelContract({ definition, isDurable: true }, globals),
      /opened again|again, and what was|out of order|a second object/,
    )
    assert.equal(found.length, 5)
  })

  it('finds a take that ignores its signal', async () => {
    const definition = brokenChannel((channel) => ({
      take: (limit) => channel.take({ ...limit, waitMs: 0 }, new AbortController().signal),
    }))
    assert.equal((await failures(definition, /gives up a take/)).length, 1)
  })
})

describe('sinkContract', () => {
  it('finds a sink that loses events and ignores its signal', async () => {
    const stored: string[] = []
    const sink: Sink = {
      batchSize: 10,
      write: async (batch) => {
        if (stored.length < 10) for (const { body } of batch) stored.push(body.toString())
      },
    }
    const definition = defineSink({ ...described, options: ordinaryOptions, create: () => sink })
    const open = () => {
      stored.length = 0
      return { settings: {}, arrived: () => stored, hang: () => {} }
    }
    const found = await failuresOf(
      (globals) => sinkContract({ definition, open }, globals),
      /has stored a batch|gives a write up/,
    )
    assert.equal(found.length, 2)
  })
})

describe('watchResources', () => {
  it('names what was left open, and is content when it is closed', async () => {
    await new Promise(setImmediate)
    const nothingLeft = watchResources()
    const timer = setInterval(() => {}, 60_000)
    const server = createServer().listen(0, '127.0.0.1')
    server.unref()
    try {
      await once(server, 'listening')
      const file = openSync('package.json', 'r')
      await assert.rejects(nothingLeft({ timeoutMs: 20 }), (error: Error) => {
        assert.match(error.message, /1 × Timeout/)
        if (existsSync('/proc/self/fd')) {
          assert.match(error.message, /1 × socket descriptor/)
          assert.match(error.message, /package\.json/)
        }
        return true
      })
      closeSync(file)
    } finally {
      clearInterval(timer)
      server.close()
    }
    await nothingLeft()
  })
})

describe('sourceContract', () => {
  it('finds a source that acknowledges too early and goes on after its stop', async () => {
    let deliver: ((text: string) => Promise<void>) | undefined
    const definition = defineSource({
      ...described,
      options: ordinaryOptions,
      create: () => ({
        start: async (context) => {
          deliver = (text) => context.deliver(EventBatch.of([{ body: text }]))
        },
      }),
    })
    const open = () => ({
      settings: {},
      send: async (bodies: readonly string[]) => {
        for (const body of bodies) deliver?.(body).catch(() => {})
      },
    })
    const found = await failuresOf(
      (globals) => sourceContract({ definition, open }, globals),
      /acknowledges no earlier|accepts nothing after|moves its counters|refuses for a while/,
    )
    assert.equal(found.length, 4)
  })
})

describe('the suites of the small families', () => {
  it('find an interceptor that turns the order round', async () => {
    const definition = defineInterceptor({
      ...described,
      options: ordinaryOptions,
      create: () => ({
        intercept: (batch) =>
          EventBatch.concat(
            Array.from({ length: batch.size }, (_, i) =>
              batch.slice(batch.size - 1 - i, batch.size - i),
            ),
          ),
      }),
    })
    const found = await failuresOf((globals) => interceptorContract({ definition }, globals))
    assert.deepEqual(found, [
      'keeps the order, and makes no events',
      'does the same to an event, whatever batch it comes in',
    ])
  })

  it('find a selector that sends a channel its events in two parts out of order', async () => {
    const definition = defineSelector({
      ...described,
      options: ordinaryOptions,
      create: () => ({
        route: (batch) =>
          [1, 0].map((rest) => ({
            batch: batch.filter((i) => i % 2 === rest),
            required: ['c1'],
            optional: [],
          })),
      }),
    })
    const example = { title: 'routes', headers: {}, required: ['c1'] }
    const found = await failuresOf((globals) =>
      selectorContract({ definition, channels: ['c1'], examples: [example] }, globals),
    )
    assert.deepEqual(found, [
      'sends every event of a mixed batch where it goes alone, in order and once',
    ])
  })

  it('find a processor that gives up at the first failure', async () => {
    const definition = defineSinkProcessor({
      ...described,
      options: ordinaryOptions,
      create: ({ sinks }) => ({ process: (attempt) => attempt(sinks[0]!) }),
    })
    const found = await failuresOf((globals) =>
      sinkProcessorContract({ definition, sinks: ['k1', 'k2'] }, globals),
    )
    assert.deepEqual(found, [
      'fails a round when all its sinks fail, having asked each at most once',
      'comes back to every sink that has failed for long and works again',
    ])
  })

  it('find a serializer that gives the same buffer twice', async () => {
    const shared = Buffer.alloc(10_000)
    const definition = defineSerializer({
      ...described,
      options: ordinaryOptions,
      create: () => ({
        serialize: (batch) => {
          const text = Array.from(batch, (event) => `${event.body.toString()}\n`).join('')
          return shared.subarray(0, shared.write(text))
        },
      }),
    })
    const read = (file: Buffer) => file.toString().split('\n').slice(0, -1)
    const found = await failuresOf((globals) => serializerContract({ definition, read }, globals))
    assert.deepEqual(found, [
      'leaves the batch as it is, and gives bytes that a later call does not change',
    ])
  })

  it('find options that refuse their own default', async () => {
    const size = { ...option.int('size', { description: 'A size.', default: 1 }), default: -1 }
    const definition = defineInterceptor({
      ...described,
      options: { size },
      create: () => ({ intercept: (batch) => batch }),
    })
    const found = await failuresOf((globals) => interceptorContract({ definition }, globals))
    assert.deepEqual(found, ['reads the default of each key as a user would write it'])
  })
})
