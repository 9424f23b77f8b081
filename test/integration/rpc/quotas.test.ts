import assert from 'node:assert/strict'
import { FakeClock } from '@millrace/testkit'
import {
  FIRST_APPEND,
  FIRST_OK,
  frame,
  SECOND_BATCH,
  SECOND_FAILED,
  SECOND_OK,
  text,
} from '../../support/rpc/golden.js'
import { RawPeer } from '../../support/rpc/raw-peer.js'
import { Closing, startServer } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'

describe('quotas of a server', () => {
  const closing = new Closing()
  const open = async (quotas: object) => {
    const clock = new FakeClock()
    const started = await startServer({ clock, quotas }, closing.step)
    closing.step(() => void setImmediate(() => void clock.advance(10_000)))
    const connect = async () => closing.add(await RawPeer.connect(started.port))
    const established = async () => {
      const peer = await connect()
      peer.write(FIRST_APPEND)
      assert.deepEqual(await peer.read(FIRST_OK.length), FIRST_OK)
      return peer
    }
    return { ...started, clock, connect, established }
  }

  it('answer FAILED to calls beyond them, append and appendBatch alike, and store nothing of them', async () => {
    const { clock, established, handler, log } = await open({ eventsPerSecond: 3 })
    const peer = await established()
    peer.write(SECOND_BATCH)
    assert.deepEqual(await peer.read(SECOND_OK.length), SECOND_OK)
    peer.write(SECOND_BATCH)
    assert.deepEqual(await peer.read(SECOND_FAILED.length), SECOND_FAILED)
    peer.write(frame(2, `00 ${text('append')}`, '00 0261'))
    assert.deepEqual(await peer.read(SECOND_FAILED.length), SECOND_FAILED)
    assert.deepEqual(handler.bodies, ['hello', 'a', 'b'])
    assert.equal(log.length, 1, log.join(''))
    assert.match(log[0] ?? '', /WARN .*a call of 127\.0\.0\.1 .*quota of 3 events per second/)
    await clock.advance(1_000)
    peer.write(SECOND_BATCH)
    assert.deepEqual(await peer.read(SECOND_OK.length), SECOND_OK)
  })

  it('count the bytes of all connections of an address', async () => {
    const { established } = await open({ bytesPerSecond: 150 })
    const peers = [await established(), await established(), await established()]
    for (const peer of peers) {
      peer.write(SECOND_BATCH)
      assert.deepEqual(await peer.read(SECOND_FAILED.length), SECOND_FAILED)
    }
  })

  it('close a connection beyond them right after accept, and take the next when one is gone', async () => {
    const { connect, established, log, server } = await open({ connections: 2 })
    const peers = [await established(), await connect()]
    for (let i = 0; i < 3; i += 1) {
      const refused = await connect()
      await refused.closed()
    }
    assert.equal(log.length, 1, log.join(''))
    assert.match(log[0] ?? '', /a connection of 127\.0\.0\.1 .*quota of 2 connections/)
    peers[1]?.destroy()
    await until(() => server.connectionCount === 1, { what: 'one is gone' })
    await established()
  })

  it('limit nothing when they are 0', async () => {
    const { established } = await open({ eventsPerSecond: 0, bytesPerSecond: 0, connections: 0 })
    for (let i = 0; i < 20; i += 1) {
      const peer = await established()
      peer.write(SECOND_BATCH)
      assert.deepEqual(await peer.read(SECOND_OK.length), SECOND_OK)
    }
  })
})
