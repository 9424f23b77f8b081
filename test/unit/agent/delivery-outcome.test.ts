import assert from 'node:assert/strict'
import { ChannelProcessor } from '@millrace/agent-core/internal/processing/channel-processor'
import { ReplicatingChannelSelector } from '@millrace/agent-core/internal/selectors/replicating'
import type { ChannelSelector } from '@millrace/component'
import { type Logger, silentLogger } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'
import { batchOf } from '../../support/agent.js'
import { HeldChannel } from '../../support/held-channel.js'

/** A processor in front of channels whose puts end when the test says so. */
function open(names: readonly string[], selector?: ChannelSelector, logger: Logger = silentLogger) {
  const log: string[] = []
  const channels = new Map(names.map((name) => [name, new HeldChannel(name, log)]))
  const processor = new ChannelProcessor({
    channels,
    selector: selector ?? new ReplicatingChannelSelector([...names], []),
    interceptors: [],
    logger,
    clock: new FakeClock(),
  })
  const channel = (name: string) => {
    const found = channels.get(name)
    assert.ok(found)
    return found
  }
  return { log, channel, processor, deliver: processor.deliver }
}

/** What a delivery has come to, as far as is known after a turn of the event loop. */
async function outcomeOf(delivery: Promise<void>): Promise<string> {
  let outcome = 'open'
  delivery.then(
    () => (outcome = 'stored'),
    (error) => (outcome = `refused: ${(error as Error).message}`),
  )
  await turn()
  return outcome
}

const turn = () => new Promise(setImmediate)
const diskFull = () => new Error('no space left')

/** One event goes to the first channel, more go to both. */
const byNumber: ChannelSelector = {
  route: (batch) => [{ batch, required: batch.size > 1 ? ['c1', 'c2'] : ['c1'], optional: [] }],
}

describe('the outcome of a delivery', () => {
  it('is open until its one channel has stored it', async () => {
    const { log, channel, deliver } = open(['c1'])
    const delivery = deliver(batchOf('a'))
    assert.equal(await outcomeOf(delivery), 'open')
    assert.deepEqual(log, ['reserve c1 1', 'put c1 a'])
    channel('c1').end()
    assert.equal(await outcomeOf(delivery), 'stored')
  })

  it('is the failure of its one channel', async () => {
    const { channel, deliver } = open(['c1'])
    const delivery = deliver(batchOf('a'))
    assert.equal(await outcomeOf(delivery), 'open')
    channel('c1').end(diskFull())
    assert.equal(await outcomeOf(delivery), 'refused: no space left')
  })

  it('is open until the last of its channels has stored it, whichever that is', async () => {
    const names = ['c1', 'c2', 'c3']
    for (const last of names) {
      const { channel, deliver } = open(names)
      const delivery = deliver(batchOf('a'))
      assert.equal(await outcomeOf(delivery), 'open')
      for (const name of names.filter((each) => each !== last)) channel(name).end()
      assert.equal(await outcomeOf(delivery), 'open', `while ${last} stores`)
      channel(last).end()
      assert.equal(await outcomeOf(delivery), 'stored')
    }
  })

  it('is the failure of any of its channels, once the others are done', async () => {
    for (const [failing, other] of [
      ['c1', 'c2'],
      ['c2', 'c1'],
    ] as const) {
      const { channel, deliver } = open(['c1', 'c2'])
      const delivery = deliver(batchOf('a'))
      assert.equal(await outcomeOf(delivery), 'open')
      channel(failing).end(diskFull())
      assert.equal(await outcomeOf(delivery), 'open', `while ${other} stores`)
      channel(other).end()
      assert.equal(await outcomeOf(delivery), 'refused: no space left')
    }
  })

  it('is that of the required channels: an optional one gets nothing when a put of theirs failed', async () => {
    const { log, channel, deliver } = open(
      ['c1', 'c2', 'c3'],
      new ReplicatingChannelSelector(['c1', 'c2', 'c3'], ['c3']),
    )
    const delivery = deliver(batchOf('a'))
    assert.equal(await outcomeOf(delivery), 'open')
    channel('c1').end()
    channel('c2').end(diskFull())
    assert.equal(await outcomeOf(delivery), 'refused: no space left')
    assert.deepEqual(log, ['reserve c1 1', 'reserve c2 1', 'put c1 a', 'put c2 a'])
  })

  it('hides a put that failed in an optional channel, counts and logs it', async () => {
    const warnings: string[] = []
    const { channel, deliver, processor } = open(
      ['c1', 'c2'],
      new ReplicatingChannelSelector(['c1', 'c2'], ['c2']),
      { ...silentLogger, warn: (text) => void warnings.push(text) },
    )
    const delivery = deliver(batchOf('a'))
    await turn()
    channel('c1').end()
    await turn()
    channel('c2').end(diskFull())
    assert.equal(await outcomeOf(delivery), 'stored')
    assert.equal(processor.optionalFailureCount, 1)
    assert.deepEqual(warnings, ['optional channel c2 did not take 1 events'])
  })

  it('does not hold up or spoil that of the next', async () => {
    const { channel, deliver } = open(['c1', 'c2'])
    const first = deliver(batchOf('a'))
    const second = deliver(batchOf('b'))
    await turn()
    channel('c1').end(diskFull())
    channel('c2').end()
    assert.equal(await outcomeOf(first), 'refused: no space left')
    channel('c1').end()
    channel('c2').end()
    assert.equal(await outcomeOf(second), 'stored')
  })
})

describe('the order of deliveries', () => {
  it('holds one to several channels back until those before it to one channel have ended', async () => {
    const { log, channel, deliver } = open(['c1', 'c2'], byNumber)
    const before = [deliver(batchOf('a')), deliver(batchOf('b'))]
    const delivery = deliver(batchOf('c', 'd'))
    const early = ['reserve c1 1', 'reserve c1 1', 'put c1 a', 'put c1 b']
    await turn()
    assert.deepEqual(log, early)
    channel('c1').end()
    await turn()
    assert.deepEqual(log, early, 'the second is still under way')
    channel('c1').end(diskFull())
    const settled = await Promise.allSettled(before)
    assert.deepEqual(
      settled.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
    assert.equal(await outcomeOf(delivery), 'open')
    const late = ['reserve c1 2', 'reserve c2 2', 'put c1 c,d', 'put c2 c,d']
    assert.deepEqual(log, [...early, ...late])
    channel('c1').end()
    channel('c2').end()
    assert.equal(await outcomeOf(delivery), 'stored')
  })

  it('holds one to a single channel back while one before it to several is under way', async () => {
    const { log, channel, deliver } = open(['c1', 'c2'], byNumber)
    const first = deliver(batchOf('a', 'b'))
    const second = deliver(batchOf('c'))
    await turn()
    const early = ['reserve c1 2', 'reserve c2 2', 'put c1 a,b', 'put c2 a,b']
    assert.deepEqual(log, early)
    channel('c1').end()
    channel('c2').end()
    await first
    await turn()
    assert.deepEqual(log, [...early, 'reserve c1 1', 'put c1 c'])
    channel('c1').end()
    await second
  })

  it('reserves channels by their names, in whatever order a selector names them', async () => {
    const selector: ChannelSelector = {
      route: (batch) => [
        { batch, required: ['c3'], optional: [] },
        { batch, required: ['c2', 'c1'], optional: [] },
      ],
    }
    const { log, channel, deliver } = open(['c2', 'c3', 'c1'], selector)
    const delivery = deliver(batchOf('a'))
    await turn()
    assert.deepEqual(log.slice(0, 3), ['reserve c1 1', 'reserve c2 1', 'reserve c3 1'])
    for (const name of ['c1', 'c2', 'c3']) channel(name).end()
    assert.equal(await outcomeOf(delivery), 'stored')
  })

  it('has nothing under way when it says that it is idle', async () => {
    const { channel, deliver, processor } = open(['c1', 'c2'], byNumber)
    const deliveries = [deliver(batchOf('a')), deliver(batchOf('b', 'c'))]
    const idle = processor.whenIdle()
    await turn()
    channel('c1').end()
    assert.equal(await outcomeOf(idle), 'open')
    channel('c1').end()
    assert.equal(await outcomeOf(idle), 'open')
    channel('c2').end()
    assert.equal(await outcomeOf(idle), 'stored')
    await Promise.all(deliveries)
  })
})
