import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'
import { MillraceError } from '@millrace/runtime'
import { SimulatedDisk } from '@millrace/testkit'
import { Log } from '@millrace/wal'
import { batchOf } from '../../support/agent.js'
import { fileOptions, TestedFileChannel } from '../../support/file-channel.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

const numbers = (count: number) => batchOf(...Array.from({ length: count }, (_, i) => `e${i}`))

describe('the file channel and its directories', () => {
  it('counts the room of puts under way against others', async () => {
    const tested = new TestedFileChannel(fileOptions(temporaryDirectory(), { capacity: 100 }))
    await tested.start()
    const first = tested.put(numbers(60))
    // By now the first put is on its way to the disk, and its reservation is over.
    await Promise.resolve()
    await assert.rejects(tested.put(numbers(60)), { code: 'MILLRACE_CHANNEL_FULL' })
    assert.equal(tested.channel.size.events, 60)
    await first
    assert.equal(tested.channel.size.events, 60)
    await tested.channel.stop()
  })

  it('gives them up when it was stopped before it had started', async () => {
    const directory = temporaryDirectory()
    const first = new TestedFileChannel(fileOptions(directory))
    const starting = assert.rejects(first.start(), { code: 'MILLRACE_CHANNEL_CLOSED' })
    // One turn, so that the log is being opened.
    await new Promise((resolve) => setImmediate(resolve))
    await first.channel.stop()
    await starting
    const second = new TestedFileChannel(fileOptions(directory))
    await second.start()
    await second.put(batchOf('a'))
    assert.deepEqual(await second.drain(), ['a'])
    await second.channel.stop()
  })

  it('fails when another process has taken its log over, and acknowledges nothing any more', async () => {
    // A disk on which no lock keeps others out, as on some network file systems.
    const disk = new SimulatedDisk()
    const tested = new TestedFileChannel(fileOptions('/log'), { disk })
    await tested.start()
    await tested.put(batchOf('mine'))
    const other = await Log.open({
      checkpointDirectory: '/log/checkpoint',
      dataDirectories: ['/log/data'],
      consumers: ['sinks'],
      segmentBytes: 65_536,
      disk,
    })
    const large = EventBatch.of([{ body: Buffer.alloc(20_000) }])
    let refusal: unknown
    // It notices at the next segment at the latest.
    for (let count = 0; count < 5 && !refusal; count += 1)
      refusal = await tested.put(large).then(
        () => undefined,
        (error: unknown) => error,
      )
    assert.ok(MillraceError.is(refusal), 'a put is refused')
    assert.equal(tested.failures.length > 0, true, 'the agent is told')
    const before = other.stats().nextSequence
    await assert.rejects(tested.put(batchOf('late')))
    await other.append(batchOf('theirs'))
    assert.equal(other.stats().nextSequence, before + 1)
    await tested.channel.stop()
    await other.close()
  })

  it('give at most maxRepeatedEvents committed events again after a kill', async () => {
    for (const maxRepeatedEvents of [0, 3]) {
      const disk = new SimulatedDisk()
      const options = fileOptions('/log', { maxRepeatedEvents })
      const tested = new TestedFileChannel(options, { disk })
      await tested.start()
      await tested.put(numbers(40))
      for (let taken = 0; taken < 30; taken += 1) await (await tested.take(1))?.commit()
      const again = new TestedFileChannel(options, { disk: disk.kill(1) })
      await again.start()
      const { events } = again.channel.size
      assert.ok(events >= 10 && events <= 10 + maxRepeatedEvents, `${events} of 10 events`)
      await again.channel.stop()
    }
  })
})
