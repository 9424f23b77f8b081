import assert from 'node:assert/strict'
import type { FileChannelOptions } from '@millrace/agent-core/internal/channels/file'
import { EventBatch } from '@millrace/event'
import { SimulatedDisk } from '@millrace/testkit'
import { batchOf } from '../../support/agent.js'
import { fileOptions, TestedFileChannel } from '../../support/file-channel.js'
import { until } from '../../support/until.js'

const MIB = 1024 ** 2
const event = (name: string, bytes = 20_000) =>
  EventBatch.of([{ body: Buffer.from(name.padEnd(bytes, '.')) }])
const names = (bodies: readonly string[]) => bodies.map((body) => body.replace(/\.+$/, ''))

describe('the file channel on a failing disk', () => {
  const opened: TestedFileChannel[] = []
  afterEach(async () => {
    for (const { channel } of opened.splice(0)) await channel.stop()
  })

  async function open(
    disk: SimulatedDisk,
    options: Partial<FileChannelOptions> = {},
  ): Promise<TestedFileChannel> {
    const tested = new TestedFileChannel(fileOptions('/log', options), { disk })
    opened.push(tested)
    await tested.start()
    return tested
  }

  /** Puts until the disk refuses; gives the names of what was acknowledged. */
  async function fill(tested: TestedFileChannel): Promise<string[]> {
    const acknowledged: string[] = []
    for (let i = 0; i < 1_000; i += 1) {
      try {
        await tested.put(event(`e${i}`))
      } catch (error) {
        assert.equal(Reflect.get(error as object, 'code'), 'MILLRACE_CHANNEL_FULL')
        return acknowledged
      }
      acknowledged.push(`e${i}`)
    }
    return assert.fail('the disk is never full')
  }

  it('refuses puts as full, naming the disk, gives what it has, and goes on when there is room', async () => {
    const disk = new SimulatedDisk()
    disk.capacityBytes = 2 * MIB
    const tested = await open(disk)
    const acknowledged = await fill(tested)
    assert.ok(acknowledged.length > 10)
    for (let i = 0; i < 3; i += 1) {
      await assert.rejects(tested.put(event('refused')), {
        code: 'MILLRACE_CHANNEL_FULL',
        retryable: true,
        message: /disk of \/log\/data, of which minimumRequiredSpace = 1048576 bytes stay free/,
      })
    }
    assert.equal(tested.channel.size.events, acknowledged.length)
    assert.deepEqual(names(await tested.drain(1)), acknowledged)
    await until(
      () =>
        tested.put(event('after')).then(
          () => true,
          () => false,
        ),
      { what: 'room', timeoutMs: 5_000 },
    )
    assert.deepEqual(names(await tested.drain()), ['after'])
    assert.deepEqual(tested.failures, [])
  })

  it('lets a put wait for room on the disk, within keep-alive', async () => {
    const disk = new SimulatedDisk()
    disk.capacityBytes = 2 * MIB
    const tested = await open(disk)
    await fill(tested)
    tested.channel.reconfigure(fileOptions('/log', { keepAliveMs: 5_000 }))
    const waiting = tested.put(event('waited'), true)
    disk.capacityBytes = 8 * MIB
    await waiting
    assert.equal(names(await tested.drain()).at(-1), 'waited')
  })

  it('tells a put whose sync failed so, keeps what was stored before, and goes on', async () => {
    const disk = new SimulatedDisk()
    const tested = await open(disk)
    await tested.put(batchOf('before'))
    disk.faults.add({ kind: 'sync', code: 'EIO', isLasting: true })
    await assert.rejects(tested.put(batchOf('doubtful')), {
      code: 'MILLRACE_STORAGE_IO',
      retryable: true,
    })
    disk.faults.clear()
    await until(
      () =>
        tested.put(batchOf('after')).then(
          () => true,
          () => false,
        ),
      { what: 'a disk that works again', timeoutMs: 5_000 },
    )
    const given = await tested.drain()
    assert.deepEqual(
      given.filter((body) => body !== 'doubtful'),
      ['before', 'after'],
    )
  })

  it('passes a failed read on to the take that waits, and gives the events to a later one', async () => {
    const disk = new SimulatedDisk()
    const tested = await open(disk, { segmentSize: MIB })
    const all = Array.from({ length: 1_000 }, (_, i) => `e${i}`)
    for (let at = 0; at < all.length; at += 20) {
      await Promise.all(all.slice(at, at + 20).map((name) => tested.put(event(name))))
    }
    disk.faults.add({ kind: 'read', code: 'EIO', isLasting: true })
    const given = names(await tested.drain(50))
    assert.ok(given.length > 0 && given.length < all.length, 'a part of them is in memory')
    await assert.rejects(tested.take(50, 10_000), { code: 'MILLRACE_STORAGE_IO', retryable: true })
    disk.faults.clear()
    given.push(...names(await tested.drain(50)))
    assert.deepEqual(given, all)
    assert.equal(tested.channel.metrics['LostEventCount'], 0)
  })

  it('has every acknowledged event after a power loss, and gives no committed one twice beyond the bound', async () => {
    const disk = new SimulatedDisk(3)
    const tested = await open(disk)
    for (let i = 0; i < 40; i += 1) await tested.put(event(`e${i}`, 3_000))
    for (let i = 0; i < 10; i += 1) await (await tested.take(1))?.commit()
    // Nothing comes back from the disk of before.
    opened.pop()
    const next = await open(disk.crash(7))
    const given = names(await next.drain())
    const last = Array.from({ length: 30 }, (_, i) => `e${i + 10}`)
    assert.deepEqual(given.slice(-30), last)
    assert.ok(given.length <= 40)
  })
})
