import assert from 'node:assert/strict'
import { EventBatch, EventBatchBuilder } from '@millrace/event'
import { MillraceError } from '@millrace/runtime'
import * as fc from 'fast-check'
import {
  avscArray,
  avscEvent,
  blocks,
  encodeEvent,
  encodeGenerated,
  event,
  events,
  plain,
  style,
} from '../../support/event-arbitraries.js'

const isAvroError = (error: unknown) =>
  MillraceError.is(error) && error.name === 'AvroError' && error.code.startsWith('MILLRACE_AVRO_')

/** The bytes between others, so that reading beyond the end meets something. */
function embedded(bytes: Buffer): { buffer: Buffer; start: number; end: number } {
  const buffer = Buffer.concat([Buffer.alloc(7, 0xff), bytes, Buffer.alloc(9, 0x00)])
  return { buffer, start: 7, end: 7 + bytes.length }
}

describe('events that avsc has encoded', () => {
  it('are scanned as an array and read the same', () => {
    fc.assert(
      fc.property(events, (list) => {
        const { buffer, start, end } = embedded(avscArray.toBuffer(list))
        const scanned = EventBatch.scanArray(buffer, start, end)
        assert.equal(scanned.end, end)
        assert.equal(scanned.batch.size, list.length)
        assert.deepEqual(plain(scanned.batch), plain(list))
      }),
    )
  })

  it('are scanned one by one and read the same', () => {
    fc.assert(
      fc.property(event, (one) => {
        const { buffer, start, end } = embedded(avscEvent.toBuffer(one))
        const scanned = EventBatch.scanEvent(buffer, start, end)
        assert.equal(scanned.end, end)
        assert.deepEqual(plain(scanned.batch), plain([one]))
        assert.ok(scanned.batch.bytes.equals(buffer.subarray(start, end)))
      }),
    )
  })
})

describe('events that EventBatch has encoded', () => {
  it('are what avsc encodes, and what it reads', () => {
    fc.assert(
      fc.property(events, (list) => {
        const batch = EventBatch.of(list)
        const encoded = list.map((one) => avscEvent.toBuffer(one))
        assert.ok(batch.bytes.equals(Buffer.concat(encoded)))
        let at = 0
        const decoded = list.map(() => {
          const { value, offset } = avscEvent.decode(batch.bytes, at)
          at = offset
          return value
        })
        assert.deepEqual(plain(decoded), plain(list))
        const builder = new EventBatchBuilder()
        for (const one of list) builder.add(one)
        assert.equal(builder.size, list.length)
        assert.equal(builder.byteLength, batch.byteLength)
        assert.ok(builder.build().bytes.equals(batch.bytes))
        assert.equal(builder.size, 0)
      }),
    )
  })
})

describe('events in every form that Avro allows', () => {
  it('read the same: several blocks, blocks with sizes, lengths in more bytes than needed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(event, style), { maxLength: 8 }), style, (list, arrayStyle) => {
        const encoded = list.map(([one, itsStyle]) => encodeGenerated(one, itsStyle))
        const { buffer, start, end } = embedded(blocks(encoded, arrayStyle))
        const scanned = EventBatch.scanArray(buffer, start, end)
        assert.equal(scanned.end, end)
        assert.deepEqual(plain(scanned.batch), plain(list.map(([one]) => one)))
        assert.ok(scanned.batch.bytes.equals(Buffer.concat(encoded)), 'each event is as it came')
        assert.equal(scanned.batch.byteLength, Buffer.concat(encoded).length)
        list.forEach(([one], i) => {
          assert.equal(scanned.batch.byteLengthAt(i), encoded[i]?.length)
          for (const [key, value] of Object.entries(one.headers)) {
            assert.equal(scanned.batch.headerAt(i, key), value)
          }
          assert.equal(scanned.batch.headerAt(i, 'no such key'), undefined)
        })
      }),
    )
  })

  it('keep keys and values that are no UTF-8 as they came, and of a repeated key the last value counts', () => {
    const bytes = fc.uint8Array({ maxLength: 5 }).map((some) => Buffer.from(some))
    const pairs = fc.array(fc.tuple(bytes, bytes), { maxLength: 6 })
    fc.assert(
      fc.property(pairs, bytes, style, (headers, body, itsStyle) => {
        const encoded = encodeEvent(headers, body, itsStyle)
        const { batch } = EventBatch.scanEvent(encoded)
        assert.ok(batch.bytes.equals(encoded))
        assert.ok(batch.bodyAt(0).equals(body))
        const expected = new Map(headers.map(([key, value]) => [key.toString(), value.toString()]))
        assert.deepEqual(new Map(Object.entries(batch.headersAt(0))), expected)
      }),
    )
  })
})

describe('bytes that are no events', () => {
  it('are refused when the array is cut anywhere', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(event, style), { maxLength: 3 }), style, (list, arrayStyle) => {
        const whole = blocks(
          list.map(([one, itsStyle]) => encodeGenerated(one, itsStyle)),
          arrayStyle,
        )
        // What follows would complete it: it must not be read.
        for (let end = 0; end < whole.length; end += 1) {
          assert.throws(() => EventBatch.scanArray(whole, 0, end), isAvroError)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('are refused with an AvroError or read as whole events, whatever they are', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      // Small numbers make valid counts and lengths likely.
      fc
        .array(fc.integer({ min: 0, max: 8 }), { maxLength: 60 })
        .map((some) => Uint8Array.from(some)),
    )
    let accepted = 0
    fc.assert(
      fc.property(bytes, (some) => {
        const { buffer, start, end } = embedded(Buffer.from(some))
        for (const scan of [EventBatch.scanArray, EventBatch.scanEvent]) {
          try {
            const scanned = scan(buffer, start, end)
            accepted += 1
            assert.ok(scanned.end <= end)
            for (const { headers, body } of scanned.batch) assert.ok(headers && body)
          } catch (error) {
            assert.ok(isAvroError(error), String(error))
          }
        }
      }),
      { numRuns: 3_000 },
    )
    assert.ok(accepted > 100, `${accepted} were accepted`)
  })

  it('are refused, or read as something else, when one byte of an array is another', () => {
    fc.assert(
      fc.property(events, fc.nat(), fc.integer({ min: 0, max: 255 }), (list, where, byte) => {
        const bytes = avscArray.toBuffer(list)
        bytes[where % bytes.length] = byte
        try {
          const { batch } = EventBatch.scanArray(bytes)
          for (const { headers, body } of batch) assert.ok(headers && body)
        } catch (error) {
          assert.ok(isAvroError(error), String(error))
        }
      }),
      { numRuns: 500 },
    )
  })
})
