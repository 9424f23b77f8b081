import assert from 'node:assert/strict'
import { FrameReader } from '@millrace/rpc/internal/framing/frame-reader'
import { seededRandom } from '@millrace/runtime'
import { FIRST_APPEND, frame, SECOND_BATCH } from '../../support/rpc/golden.js'

const LIMITS = { maxFrameBytes: 1_000, maxBuffersPerFrame: 100 }

/** Serial and message of every frame that the chunks hold. */
function read(chunks: readonly Buffer[], limits = LIMITS): string[] {
  const reader = new FrameReader(limits)
  const frames: string[] = []
  for (const chunk of chunks) {
    // A copy: the reader may write to what it is given.
    reader.push(Buffer.from(chunk))
    while (reader.next()) {
      const { serial, bytes, start, end } = reader
      frames.push(`${serial} ${bytes.toString('hex', start, end)}`)
    }
  }
  return frames
}

const refuses = (bytes: Buffer, code: string) => {
  assert.throws(() => read([bytes]), { code })
  assert.throws(() => read([...bytes].map((octet) => Buffer.of(octet))), { code })
}

describe('FrameReader', () => {
  const conversation = Buffer.concat([
    FIRST_APPEND,
    SECOND_BATCH,
    frame(-1, '', 'aa', ''),
    frame(0x7fffffff, ''),
    frame(3, 'bb'.repeat(300), 'cc'),
  ])
  const expected = [
    `1 ${FIRST_APPEND.toString('hex', 12, 55)}${FIRST_APPEND.toString('hex', 59)}`,
    `2 ${SECOND_BATCH.toString('hex', 12, 25)}${SECOND_BATCH.toString('hex', 29)}`,
    '-1 aa',
    '2147483647 ',
    `3 ${'bb'.repeat(300)}cc`,
  ]

  it('finds the same frames in one chunk, cut once anywhere, and octet by octet', () => {
    assert.deepEqual(read([conversation]), expected)
    for (let cut = 0; cut <= conversation.length; cut += 1) {
      const parts = [conversation.subarray(0, cut), conversation.subarray(cut)]
      assert.deepEqual(read(parts), expected, `cut at ${cut}`)
    }
    assert.deepEqual(read([...conversation].map((octet) => Buffer.of(octet))), expected)
  })

  it('finds the same frames cut twice, in steps', () => {
    for (let first = 0; first < conversation.length; first += 7) {
      for (let second = first; second < conversation.length; second += 5) {
        const parts = [
          conversation.subarray(0, first),
          conversation.subarray(first, second),
          conversation.subarray(second),
        ]
        assert.deepEqual(read(parts), expected)
      }
    }
  })

  it('hands out a frame of one chunk without a copy', () => {
    const reader = new FrameReader(LIMITS)
    const chunk = frame(1, 'aabbcc')
    reader.push(chunk)
    assert.ok(reader.next())
    assert.equal(reader.bytes, chunk)
    assert.equal(reader.heldBytes, 0)
  })

  it('refuses frames of no, negative or too many buffers', () => {
    for (const count of ['00000000', 'ffffffff', '80000000', '00000065']) {
      refuses(Buffer.from(`00000001${count}00000001aa`, 'hex'), 'MILLRACE_RPC_PROTOCOL')
    }
  })

  it('takes a frame of exactly the most buffers, in one chunk and octet by octet', () => {
    const most = frame(4, ...Array.from({ length: 100 }, () => 'aa'))
    const whole = `4 ${'aa'.repeat(100)}`
    assert.deepEqual(read([most]), [whole])
    assert.deepEqual(read([...most].map((octet) => Buffer.of(octet))), [whole])
  })

  it('refuses buffers of a negative length, wherever they are', () => {
    refuses(Buffer.from('0000000100000001ffffffffaa', 'hex'), 'MILLRACE_RPC_PROTOCOL')
    refuses(Buffer.from('000000010000000200000001aa80000000aa', 'hex'), 'MILLRACE_RPC_PROTOCOL')
  })

  it('takes a frame at the limit and refuses one octet more, as soon as the length is there', () => {
    assert.equal(read([frame(1, 'aa'.repeat(1_000))]).length, 1)
    assert.equal(read([frame(1, 'aa'.repeat(600), 'aa'.repeat(400))]).length, 1)
    const code = 'MILLRACE_RPC_FRAME_TOO_LARGE'
    refuses(frame(1, 'aa'.repeat(1_001)), code)
    refuses(frame(1, 'aa'.repeat(600), 'aa'.repeat(401)), code)
    refuses(Buffer.from('00000001000000010000ffff', 'hex'), code)
    refuses(Buffer.from('0000000100000001 7fffffff'.replace(' ', ''), 'hex'), code)
  })

  it('holds what came of an unfinished frame and says so', () => {
    const reader = new FrameReader(LIMITS)
    assert.equal(reader.isUnfinished, false)
    reader.push(Buffer.of(0))
    assert.equal(reader.next(), false)
    assert.equal(reader.isUnfinished, true)
    reader.push(frame(1, 'aa'.repeat(500)).subarray(1, 100))
    assert.equal(reader.next(), false)
    assert.equal(reader.heldBytes, 88)
    reader.push(frame(1, 'aa'.repeat(500)).subarray(100))
    assert.equal(reader.next(), true)
    assert.equal(reader.isUnfinished, false)
    assert.equal(reader.heldBytes, 0)
  })

  it('reads a large frame that drips in at a cost that grows with its length only', () => {
    const limits = { maxFrameBytes: 1 << 23, maxBuffersPerFrame: 100 }
    const large = Buffer.alloc(12 + (1 << 22), 7)
    large.writeInt32BE(1, 4)
    large.writeInt32BE(1 << 22, 8)
    const reader = new FrameReader(limits)
    let found = 0
    for (let at = 0; at < large.length; at += 16) {
      reader.push(Buffer.from(large.subarray(at, at + 16)))
      if (reader.next()) found += 1
    }
    assert.equal(found, 1)
    assert.equal(reader.bytes.length, 1 << 22)
    assert.ok(reader.bytes.every((octet) => octet === 7))
  })

  it('finds the same frames when large parts are read to where they belong', () => {
    const random = seededRandom(7)
    const limits = { maxFrameBytes: 1 << 22, maxBuffersPerFrame: 100 }
    const sizes = [10, 300_000, 0, 70_000, 65_536, 1_000_000, 5, 260_000, 260_000, 40_000]
    const messages = sizes.map((size) =>
      Buffer.from(Array.from({ length: size }, () => random() * 256)),
    )
    const stream = Buffer.concat(
      messages.flatMap((message, i) => cutIntoBuffers(message, i, 1 + (i % 3))),
    )
    for (let round = 0; round < 20; round += 1) {
      const reader = new FrameReader(limits)
      const found: Buffer[] = []
      let direct = 0
      for (let at = 0; at < stream.length; ) {
        const room = reader.room()
        const most = Math.min(stream.length - at, room?.length ?? 65_536)
        const bytes = round === 0 ? most : 1 + Math.floor(random() * most)
        if (room) {
          direct += stream.copy(room, 0, at, at + bytes)
          reader.filled(bytes)
        } else reader.push(Buffer.from(stream.subarray(at, at + bytes)))
        at += bytes
        while (reader.next()) {
          assert.equal(reader.serial, found.length)
          found.push(reader.bytes.subarray(reader.start, reader.end))
        }
      }
      assert.ok(direct > stream.length / 4, 'much of it is read directly')
      assert.equal(found.length, messages.length)
      found.forEach((message, i) => assert.ok(message.equals(messages[i] ?? Buffer.alloc(0))))
      assert.equal(reader.heldBytes, 0)
    }
  })

  it('reads many tiny buffers behind a large one at a cost that grows with their number only', () => {
    const large = Buffer.alloc(1 << 20, 1)
    const tiny = Array.from({ length: 100_000 }, (_, i) => Buffer.from([0, 0, 0, 1, i & 255]))
    const head = Buffer.alloc(12)
    head.writeInt32BE(1 + tiny.length, 4)
    head.writeInt32BE(large.length, 8)
    const reader = new FrameReader({ maxFrameBytes: 1 << 22, maxBuffersPerFrame: 200_000 })
    reader.push(Buffer.concat([head, large.subarray(0, 65_536)]))
    assert.equal(reader.next(), false)
    for (let at = 65_536; at < large.length; ) {
      const room = reader.room()
      assert.ok(room)
      const bytes = large.copy(room, 0, at)
      reader.filled(bytes)
      at += bytes
      assert.equal(reader.next(), false)
    }
    const beganMs = performance.now()
    const rest = Buffer.concat(tiny)
    for (let at = 0; at < rest.length; at += 50) {
      reader.push(Buffer.from(rest.subarray(at, at + 50)))
      reader.next()
    }
    assert.equal(reader.bytes.length, large.length + tiny.length)
    assert.ok(reader.bytes.subarray(large.length).every((octet, i) => octet === (i & 255)))
    // Copied again for each, a megabyte would be moved 100,000 times: half a minute.
    assert.ok(performance.now() - beganMs < 5_000)
  })

  it('makes memory ready in proportion to what has come, not to what is announced', () => {
    const reader = new FrameReader({ maxFrameBytes: 1 << 27, maxBuffersPerFrame: 100 })
    const announced = Buffer.alloc(12 + 1_000)
    announced.writeInt32BE(1, 4)
    announced.writeInt32BE(1 << 27, 8)
    reader.push(announced)
    assert.equal(reader.next(), false)
    assert.ok((reader.room()?.length ?? 0) <= 16_384)
    assert.ok(reader.heldBytes <= 16_384)
  })
})

/** The octets of a frame whose message lies in so many buffers. */
function cutIntoBuffers(message: Buffer, serial: number, count: number): Buffer[] {
  const int = (value: number) => {
    const octets = Buffer.alloc(4)
    octets.writeInt32BE(value)
    return octets
  }
  const step = Math.ceil(message.length / count)
  const parts = Array.from({ length: count }, (_, i) => message.subarray(i * step, (i + 1) * step))
  return [int(serial), int(count), ...parts.flatMap((part) => [int(part.length), part])]
}
