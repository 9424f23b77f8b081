import assert from 'node:assert/strict'
import { EventBatch, type HeaderEdit } from '@millrace/event'
import * as fc from 'fast-check'
import {
  avscEvent,
  blocks,
  encodeEvent,
  encodeGenerated,
  event,
  events,
  type GeneratedEvent,
  plain,
  style,
} from '../../support/event-arbitraries.js'

/** Events that were scanned out of a larger buffer, each in a style of its own. */
const scanned = fc.array(fc.tuple(event, style), { maxLength: 10 }).map((list) => {
  const encoded = list.map(([one, itsStyle]) => encodeGenerated(one, itsStyle))
  const array = blocks(encoded, { blocks: [], sized: false, varintBytes: 1 })
  return { list: list.map(([one]) => one), batch: EventBatch.scanArray(array).batch }
})

describe('EventBatch against an array', () => {
  it('slices as an array does', () => {
    fc.assert(
      fc.property(
        scanned,
        fc.integer({ min: -2, max: 12 }),
        fc.integer({ min: -2, max: 12 }),
        ({ list, batch }, a, b) => {
          const from = Math.max(0, a)
          const expected = list.slice(from, Math.max(from, b))
          for (const part of [batch.slice(a, b), batch.view(a, b)]) {
            assert.equal(part.size, expected.length)
            assert.deepEqual(plain(part), plain(expected))
          }
          assert.deepEqual(plain(batch.slice(from)), plain(list.slice(from)))
        },
      ),
    )
  })

  it('filters and partitions as an array does', () => {
    fc.assert(
      fc.property(
        scanned,
        fc.array(fc.nat({ max: 2 }), { minLength: 10, maxLength: 10 }),
        ({ list, batch }, keys) => {
          const kept = batch.filter((i) => keys[i] === 0)
          assert.deepEqual(plain(kept), plain(list.filter((_, i) => keys[i] === 0)))
          const parts = batch.partition((i) => keys[i])
          const present = [...new Set(keys.slice(0, list.length))]
          assert.deepEqual([...parts.keys()], present)
          for (const [key, part] of parts) {
            assert.deepEqual(plain(part), plain(list.filter((_, i) => keys[i] === key)))
          }
        },
      ),
    )
  })

  it('concatenates as arrays do, slices too', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(scanned, fc.nat({ max: 5 })), { maxLength: 5 }), (some) => {
        const batch = EventBatch.concat(some.map(([each, from]) => each.batch.slice(from)))
        const list = some.flatMap(([each, from]) => each.list.slice(from))
        assert.deepEqual(plain(batch), plain(list))
        list.forEach((one, i) => assert.ok(batch.bodyAt(i).equals(one.body)))
      }),
    )
  })

  it('keeps no more than twice of what it needs alive', () => {
    fc.assert(
      fc.property(scanned, fc.nat({ max: 9 }), fc.nat({ max: 9 }), ({ batch }, from, length) => {
        for (const part of [batch.slice(from, from + length), batch.filter((i) => i % 3 === 0)]) {
          const { byteLength } = part.bytes.buffer
          assert.ok(part.byteLength * 2 >= byteLength, `${part.byteLength} of ${byteLength}`)
          assert.ok(part.retainedBytes >= byteLength + 4 * part.size)
        }
      }),
    )
  })
})

const edit: fc.Arbitrary<HeaderEdit> = fc.record(
  {
    name: fc.constantFrom('a', 'b', 'host', 'x-ключ', 'new', 'm3'),
    value: fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.constant(null),
      fc
        .array(fc.option(fc.string({ maxLength: 90 }), { nil: undefined }), {
          minLength: 10,
          maxLength: 10,
        })
        .map((values) => (index: number) => values[index]),
    ),
    preserveExisting: fc.boolean(),
  },
  { requiredKeys: ['name', 'value'] },
)
const edits = fc.uniqueArray(edit, { maxLength: 4, selector: (each) => each.name })

/** What the edits are to do to one event's headers. */
function edited(headers: GeneratedEvent['headers'], changes: readonly HeaderEdit[], index: number) {
  const result = new Map(Object.entries(headers))
  const written: [string, string][] = []
  for (const { name, value, preserveExisting = false } of changes) {
    const given = typeof value === 'function' ? value(index) : value
    if (given === undefined || (preserveExisting && result.has(name))) continue
    result.delete(name)
    if (given !== null) written.push([name, given])
  }
  return Object.fromEntries([...result, ...written])
}

describe('header edits against a model', () => {
  it('change the headers that they name, behind the others, and nothing else', () => {
    fc.assert(
      fc.property(scanned, edits, ({ list, batch }, changes) => {
        const before = Buffer.from(batch.bytes)
        const result = batch.withHeaders(changes)
        const expected = list.map(({ headers, body }, index) => ({
          headers: edited(headers, changes, index),
          body,
        }))
        assert.deepEqual(plain(result), plain(expected))
        assert.ok(batch.bytes.equals(before), 'the batch is as it was')
        assert.ok(result === batch || result.byteLength * 2 >= result.bytes.buffer.byteLength)
      }),
      { numRuns: 500 },
    )
  })

  it('leave bytes that avsc reads', () => {
    fc.assert(
      fc.property(scanned, edits, ({ batch }, changes) => {
        const result = batch.withHeaders(changes)
        const decoded: GeneratedEvent[] = []
        for (let at = 0; at < result.byteLength; ) {
          const { value, offset } = avscEvent.decode(result.bytes, at)
          decoded.push(value)
          at = offset
        }
        assert.deepEqual(plain(result), plain(decoded))
      }),
    )
  })

  it('work on a slice as on the whole', () => {
    fc.assert(
      fc.property(scanned, edits, fc.nat({ max: 9 }), ({ batch }, changes, from) => {
        const shifted = changes.map((each) => {
          const { value } = each
          if (typeof value !== 'function') return each
          return { ...each, value: (index: number) => value(index + from) }
        })
        const some = batch.view(from).withHeaders(shifted)
        assert.ok(some.bytes.equals(batch.withHeaders(changes).slice(from).bytes))
      }),
    )
  })

  it('take every copy of a repeated header out, and keep malformed ones as they came', () => {
    const key = fc.constantFrom('a', 'b', '\ufffd').map((text) => Buffer.from(text))
    const malformed = fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes))
    const pair = fc.tuple(fc.oneof(key, malformed), malformed)
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 8 }), style, (headers, itsStyle) => {
        const { batch } = EventBatch.scanEvent(encodeEvent(headers, Buffer.from('x'), itsStyle))
        const result = batch.withHeaders([
          { name: 'a', value: null },
          { name: 'c', value: '1' },
        ])
        const isOther = ([name]: readonly [Buffer, Buffer]) => !name.equals(Buffer.from('a'))
        const expected = [...headers.filter(isOther), [Buffer.from('c'), Buffer.from('1')] as const]
        const single = { blocks: [], sized: false, varintBytes: 1 }
        const wanted = encodeEvent(expected, Buffer.from('x'), single)
        if (
          itsStyle.varintBytes === 1 &&
          !headers.some(([name]) => name.equals(Buffer.from('c')))
        ) {
          assert.ok(result.bytes.equals(wanted))
        }
        assert.equal(result.headerAt(0, 'c'), '1')
        assert.equal(result.headerAt(0, 'a'), undefined)
        assert.equal(result.bodyAt(0).toString(), 'x')
      }),
    )
  })

  it('give the same batch back when nothing changes', () => {
    fc.assert(
      fc.property(events, (list) => {
        const batch = EventBatch.of(list.map(({ body }) => ({ headers: { a: '1' }, body })))
        assert.equal(batch.withHeaders([]), batch)
        assert.equal(batch.withHeaders([{ name: 'a', value: '2', preserveExisting: true }]), batch)
        assert.equal(batch.withHeaders([{ name: 'b', value: null }]), batch)
        assert.equal(batch.withHeaders([{ name: 'b', value: () => undefined }]), batch)
      }),
    )
  })
})
