import assert from 'node:assert/strict'
import { seqSource, SeqSource } from '@millrace/agent-core/internal/sources/seq'
import { ChannelError, silentLogger } from '@millrace/runtime'
import { noAbort, sourceContext } from '../../support/component-context.js'

const OPTIONS = {
  batchSize: 3,
  totalEvents: Number.POSITIVE_INFINITY,
  backoffSleepIncrementMs: 10,
  maxBackoffSleepMs: 20,
}

describe('seq source', () => {
  it('counts upward from 0, a batch a round', async () => {
    const source = new SeqSource(OPTIONS, silentLogger)
    const context = sourceContext()
    await source.start(context)
    assert.equal(await source.process(noAbort), 'ready')
    assert.equal(await source.process(noAbort), 'ready')
    assert.deepEqual(context.channel.texts, ['0', '1', '2', '3', '4', '5'])
    assert.equal(context.channel.batches.length, 2)
    assert.equal(context.counters.eventAcceptedCount, 6)
    assert.equal(context.counters.appendBatchAcceptedCount, 2)
  })

  it('makes a number again until the channel has it', async () => {
    const source = new SeqSource(OPTIONS, silentLogger)
    const context = sourceContext()
    await source.start(context)
    let refusals = 2
    context.channel.beforePut = () => {
      refusals -= 1
      if (refusals >= 0) throw new ChannelError('MILLRACE_CHANNEL_FULL', 'full')
    }
    assert.equal(await source.process(noAbort), 'backoff')
    assert.equal(await source.process(noAbort), 'backoff')
    assert.equal(await source.process(noAbort), 'ready')
    assert.deepEqual(context.channel.texts, ['0', '1', '2'])
    assert.equal(context.counters.channelWriteFail, 2)
    assert.equal(context.counters.eventAcceptedCount, 3)
  })

  it('passes on what is no refusal of a channel', async () => {
    const source = new SeqSource(OPTIONS, silentLogger)
    const context = sourceContext()
    await source.start(context)
    context.channel.beforePut = () => {
      throw new Error('interceptor')
    }
    await assert.rejects(source.process(noAbort), /interceptor/)
  })

  it('backs off once totalEvents are made', async () => {
    const source = new SeqSource({ ...OPTIONS, totalEvents: 4 }, silentLogger)
    const context = sourceContext()
    await source.start(context)
    assert.equal(await source.process(noAbort), 'ready')
    assert.equal(await source.process(noAbort), 'backoff')
    assert.equal(await source.process(noAbort), 'backoff')
    assert.deepEqual(context.channel.texts, ['0', '1', '2', '3'])
  })

  it('takes the largest long as totalEvents and has it as its default', () => {
    const { totalEvents } = seqSource.options
    assert.equal(totalEvents.default, '9223372036854775807')
    assert.equal(totalEvents.schema.parse('9223372036854775807'), Number.MAX_SAFE_INTEGER)
    assert.equal(totalEvents.fallback, Number.MAX_SAFE_INTEGER)
  })

  it('does not work before its start nor after its stop', async () => {
    const source = new SeqSource(OPTIONS, silentLogger)
    await assert.rejects(source.process(noAbort), { code: 'MILLRACE_LIFECYCLE_STATE' })
    await source.start(sourceContext())
    await source.stop()
    await source.stop()
    await assert.rejects(source.process(noAbort), { code: 'MILLRACE_LIFECYCLE_STATE' })
  })
})
