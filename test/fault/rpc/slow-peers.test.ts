import assert from 'node:assert/strict'
import { FakeClock } from '@millrace/testkit'
import {
  FIRST_APPEND,
  FIRST_OK,
  frame,
  SECOND_BATCH,
  SECOND_OK,
  text,
} from '../../support/rpc/golden.js'
import { RawPeer } from '../../support/rpc/raw-peer.js'
import { Closing, startServer } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'

const LIMITS = { handshakeTimeoutMs: 1_000, frameTimeoutMs: 5_000 }

describe('slow and silent peers', () => {
  const closing = new Closing()
  const open = async (limits: object = {}) => {
    const clock = new FakeClock()
    const started = await startServer({ clock, limits: { ...LIMITS, ...limits } }, closing.step)
    // The server's close waits on the fake clock for peers that stay.
    closing.step(() => void setImmediate(() => void clock.advance(10_000)))
    const connect = async () => closing.add(await RawPeer.connect(started.port))
    const established = async () => {
      const peer = await connect()
      peer.write(FIRST_APPEND)
      await peer.read(FIRST_OK.length)
      return peer
    }
    return { ...started, clock, connect, established }
  }

  it('a silent connection is never closed, before and after its handshake', async () => {
    const { connect, established, clock } = await open()
    const peers = [await connect(), await established()]
    await clock.advance(100 * 86_400_000)
    for (const peer of peers) assert.equal(peer.isClosed || peer.hasEnded, false)
    peers[1]?.write(SECOND_BATCH)
    assert.deepEqual(await peers[1]?.read(SECOND_OK.length), SECOND_OK)
  })

  it('a handshake has its time from its first octet', async () => {
    const { connect, clock, server, log } = await open()
    const peer = await connect()
    await clock.advance(50_000)
    peer.write(FIRST_APPEND.subarray(0, 20))
    await until(() => server.pendingBytes > 0, { what: 'the octets' })
    await clock.advance(999)
    assert.equal(peer.hasEnded, false)
    await clock.advance(1)
    await peer.closed()
    assert.match(log[0] ?? '', /handshake was not complete within 1000 ms/)
  })

  it('a frame has its time from its first octet, each one anew', async () => {
    const { established, clock, server, log } = await open()
    const peer = await established()
    for (let round = 0; round < 5; round += 1) {
      peer.write(SECOND_BATCH.subarray(0, 20))
      await until(() => server.pendingBytes > 0, { what: 'the first part' })
      await clock.advance(4_000)
      peer.write(SECOND_BATCH.subarray(20))
      assert.deepEqual(await peer.read(SECOND_OK.length), SECOND_OK)
    }
    peer.write(Buffer.concat([SECOND_BATCH, SECOND_BATCH.subarray(0, 5)]))
    await peer.read(SECOND_OK.length)
    await clock.advance(4_999)
    assert.equal(peer.hasEnded, false)
    await clock.advance(1)
    await peer.closed()
    assert.match(log[0] ?? '', /frame was not complete within 5000 ms/)
  })

  it('a sender of one octet a second is closed at the limit, and its memory is given back', async () => {
    const { established, clock, server } = await open()
    const peer = await established()
    for (const octet of SECOND_BATCH.subarray(0, 5)) {
      const held = server.pendingBytes
      peer.write(Buffer.of(octet))
      await until(() => server.pendingBytes > held, { what: 'the octet' })
      await clock.advance(1_000)
    }
    await peer.closed()
    await until(() => server.pendingBytes === 0, { what: 'nothing is held' })
  })

  it('time in which the server does not read is not counted', async () => {
    const { established, handler, clock, server } = await open({ maxPendingBytes: 5_000 })
    const [busy, peer] = [await established(), await established()]
    const large = frame(2, `00 ${text('appendBatch')}`, `02 00 ${text('x'.repeat(4_500))} 00`)
    handler.isManual = true
    busy.write(SECOND_BATCH)
    const call = await until(() => handler.calls[2], { what: 'the call' })
    peer.write(large.subarray(0, 100))
    await until(() => server.pendingBytes > 600, { what: 'the first part' })
    await clock.advance(4_000)
    peer.write(large.subarray(100, 4_500))
    await until(() => server.pendingBytes > 5_000, { what: 'the limit is reached' })
    await clock.advance(60_000)
    assert.equal(peer.hasEnded, false)
    handler.isManual = false
    call.answer.resolve()
    assert.deepEqual(await busy.read(SECOND_OK.length), SECOND_OK)
    await clock.advance(4_999)
    assert.equal(peer.hasEnded, false)
    peer.write(large.subarray(4_500))
    assert.deepEqual(await peer.read(SECOND_OK.length), SECOND_OK)
  })

  it('peers that fill the memory limit with frames which they never end do not hold up small calls', async () => {
    const { established, server } = await open({ maxPendingBytes: 1_000_000 })
    const good = await established()
    const announced = Buffer.from('0000000900000001000927c0', 'hex')
    for (let i = 0; i < 4; i += 1) {
      const peer = await established()
      peer.write(Buffer.concat([announced, Buffer.alloc(500_000)]))
    }
    await until(() => server.pendingBytes > 1_000_000, { what: 'the limit is reached' })
    for (let i = 0; i < 20; i += 1) {
      // In two parts: a frame that is begun is read to its end.
      await good.writeParts([SECOND_BATCH.subarray(0, 20), SECOND_BATCH.subarray(20)])
      assert.deepEqual(await good.read(SECOND_OK.length), SECOND_OK)
    }
    assert.ok(server.pendingBytes < 1_500_000 + 4 * 65_536, `${server.pendingBytes} are held`)
  })

  it('2,000 idle connections stay, cost little, and do not slow down the one that works', async () => {
    const { connect, established, server } = await open()
    const before = process.memoryUsage().rss
    for (let i = 0; i < 20; i += 1) {
      await Promise.all(Array.from({ length: 100 }, () => connect()))
    }
    const peer = await established()
    await until(() => server.connectionCount === 2_001, { what: 'all are accepted' })
    for (let i = 0; i < 200; i += 1) {
      peer.write(SECOND_BATCH)
      assert.deepEqual(await peer.read(SECOND_OK.length), SECOND_OK)
    }
    // Both ends are in this process.
    assert.ok(process.memoryUsage().rss - before < 150_000_000)
  })
})
