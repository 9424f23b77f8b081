import assert from 'node:assert/strict'
import {
  EventBatch,
  MAX_VARINT_BYTES,
  VarintReader,
  varintSize,
  writeVarint,
} from '@millrace/event'
import { MillraceError } from '@millrace/runtime'
import { paddedVarint, varint } from '../../support/event-arbitraries.js'

const failsWith = (code: string) => (error: unknown) =>
  MillraceError.is(error) && error.code === code
const TRUNCATED = failsWith('MILLRACE_AVRO_TRUNCATED')
const INVALID = failsWith('MILLRACE_AVRO_INVALID')
const EMPTY_EVENT = Buffer.from([0, 0])

/** Fails when the work takes longer than bad input may hold a process up. */
function quickly(work: () => void): void {
  const start = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(start)
  assert.ok(user + system < 1_000_000, `${(user + system) / 1_000} ms`)
}

describe('varints', () => {
  it('are written as short as can be and read again', () => {
    for (const value of [0, 1, 63, 64, 8_191, 8_192, 2 ** 31, 2 ** 32, 2 ** 45]) {
      const bytes = Buffer.alloc(MAX_VARINT_BYTES)
      const end = writeVarint(bytes, 0, value)
      assert.equal(varintSize(value), end)
      assert.ok(bytes.subarray(0, end).equals(varint(BigInt(value))))
      const reader = new VarintReader(bytes, 0, end)
      assert.equal(reader.readLong(), value)
      assert.equal(reader.position, end)
    }
  })

  it('are read up to 64 bits, negative ones too', () => {
    for (const value of [-1n, -64n, -65n, -(2n ** 31n), -(2n ** 63n), 2n ** 63n - 1n]) {
      const bytes = varint(value)
      assert.equal(new VarintReader(bytes, 0, bytes.length).readLong(), Number(value))
    }
  })

  it('may take ten bytes and not eleven, whatever they are worth', () => {
    for (const value of [0n, 5n, -3n]) {
      const ten = paddedVarint(value, 10)
      assert.equal(new VarintReader(ten, 0, 10).readLong(), Number(value))
      const eleven = paddedVarint(value, 11)
      assert.throws(() => new VarintReader(eleven, 0, 11).readLong(), INVALID)
      assert.throws(() => new VarintReader(eleven, 0, 10).readLong(), TRUNCATED)
    }
    const beyond64Bits = Buffer.from([0x8a, ...Array.from({ length: 8 }, () => 0x80), 0x7e])
    assert.equal(new VarintReader(beyond64Bits, 0, 10).readLong(), 5)
  })
})

describe('the scan', () => {
  it('takes lengths and counts of ten bytes, as any event may have them', () => {
    const long = (value: bigint) => paddedVarint(value, 10)
    const event = Buffer.concat([
      long(1n),
      long(1n),
      Buffer.from('k'),
      long(1n),
      Buffer.from('v'),
      long(0n),
      long(2n),
      Buffer.from('bo'),
    ])
    const { batch } = EventBatch.scanArray(Buffer.concat([long(-1n), long(0n), event, long(0n)]))
    assert.deepEqual({ ...batch.headersAt(0) }, { k: 'v' })
    assert.equal(batch.bodyAt(0).toString(), 'bo')
  })

  it('does not believe the size of a block, as Java does not', () => {
    for (const size of [-5n, 0n, 1n, 2n ** 62n]) {
      const array = Buffer.concat([varint(-1n), varint(size), EMPTY_EVENT, Buffer.from([0])])
      assert.equal(EventBatch.scanArray(array).batch.size, 1)
    }
  })

  it('refuses negative lengths', () => {
    const negativeBody = Buffer.concat([Buffer.from([0]), varint(-1n), Buffer.from([0])])
    assert.throws(() => EventBatch.scanEvent(negativeBody), INVALID)
    const negativeKey = Buffer.concat([varint(1n), varint(-2n), Buffer.alloc(10)])
    assert.throws(() => EventBatch.scanEvent(negativeKey), INVALID)
    const far = Buffer.concat([Buffer.from([0]), varint(-(2n ** 63n)), Buffer.alloc(4)])
    assert.throws(() => EventBatch.scanEvent(far), INVALID)
  })

  it('refuses huge counts and lengths at once and without the memory for them', () => {
    quickly(() => {
      for (const huge of [2n ** 31n, 2n ** 40n, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n)]) {
        const rest = Buffer.alloc(64)
        const array = Buffer.concat([varint(huge), rest])
        assert.throws(() => EventBatch.scanArray(array), TRUNCATED)
        const map = Buffer.concat([varint(huge), rest])
        assert.throws(() => EventBatch.scanEvent(map), TRUNCATED)
        if (huge < 0) continue
        const body = Buffer.concat([Buffer.from([0]), varint(huge), rest])
        assert.throws(() => EventBatch.scanEvent(body), TRUNCATED)
      }
    })
  })

  it('takes time by the length of the bytes, however small the blocks', () => {
    const block = Buffer.concat([varint(1n), EMPTY_EVENT])
    const count = 300_000
    const array = Buffer.concat([...Array.from({ length: count }, () => block), Buffer.from([0])])
    quickly(() => {
      const { batch } = EventBatch.scanArray(array)
      assert.equal(batch.size, count)
      assert.equal(batch.byteLength, count * EMPTY_EVENT.length)
      assert.equal(batch.bodyAt(count - 1).length, 0)
    })
    const maps = Array.from({ length: count }, () => Buffer.from([2, 0, 0]))
    const event = Buffer.concat([...maps, Buffer.from([0, 0])])
    quickly(() => {
      assert.equal(
        EventBatch.scanEvent(event)
          .batch.withHeaders([{ name: 'a', value: 'b' }])
          .headerAt(0, 'a'),
        'b',
      )
    })
  })

  it('finds the end of what it scans and leaves the rest', () => {
    const array = Buffer.from([4, 0, 0, 0, 2, 65, 0, 99, 99])
    const { batch, end } = EventBatch.scanArray(array)
    assert.deepEqual([batch.size, end], [2, 7])
    assert.equal(batch.bodyAt(1).toString(), 'A')
    assert.equal(EventBatch.scanArray(Buffer.from([0])).batch.size, 0)
    assert.throws(() => EventBatch.scanArray(Buffer.alloc(0)), TRUNCATED)
    assert.throws(() => EventBatch.scanEvent(Buffer.alloc(0)), TRUNCATED)
  })
})
