import assert from 'node:assert/strict'
import {
  StressSource,
  type StressSourceOptions,
} from '@millrace/agent-core/internal/sources/stress'
import { ChannelError, silentLogger } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'
import { noAbort, sourceContext } from '../../support/component-context.js'

const OPTIONS: StressSourceOptions = {
  size: 3,
  maxTotalEvents: -1,
  maxSuccessfulEvents: -1,
  batchSize: 4,
  maxEventsPerSecond: 0,
  backoffSleepIncrementMs: 10,
  maxBackoffSleepMs: 20,
}

async function start(more: Partial<StressSourceOptions>) {
  const clock = new FakeClock()
  const source = new StressSource({ ...OPTIONS, ...more }, { logger: silentLogger, clock })
  const context = sourceContext()
  await source.start(context)
  return { source, context, clock }
}

describe('stress source', () => {
  it('makes bodies of 7f octets', async () => {
    const { source, context } = await start({})
    assert.equal(await source.process(noAbort), 'ready')
    assert.deepEqual(context.channel.texts, Array(4).fill('\x7f\x7f\x7f'))
  })

  it('ends after so many attempts, or so many events that were stored', async () => {
    for (const limit of ['maxTotalEvents', 'maxSuccessfulEvents'] as const) {
      const { source, context } = await start({ [limit]: 6 })
      let refusals = 1
      context.channel.beforePut = () => {
        refusals -= 1
        if (refusals >= 0) throw new ChannelError('MILLRACE_CHANNEL_FULL', 'full')
      }
      for (let i = 0; i < 5; i += 1) await source.process(noAbort)
      assert.equal(await source.process(noAbort), 'backoff')
      assert.equal(context.channel.texts.length, limit === 'maxTotalEvents' ? 2 : 6)
    }
  })

  it('makes no more than maxEventsPerSecond', async () => {
    const { source, context, clock } = await start({ maxEventsPerSecond: 8 })
    const rounds = (async () => {
      for (let i = 0; i < 5; i += 1) await source.process(noAbort)
    })()
    await clock.advance(1_000)
    assert.equal(context.channel.texts.length, 12)
    await clock.advance(1_000)
    await rounds
    assert.equal(context.channel.texts.length, 20)
  })
})
