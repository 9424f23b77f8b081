import assert from 'node:assert/strict'
import { ByteWriter, EventBatch, EventBatchBuilder } from '@millrace/event'

describe('EventBatch', () => {
  const batch = EventBatch.of([
    { headers: { a: '1', b: '2' }, body: 'first' },
    { body: Buffer.from([0, 255]) },
    {},
  ])

  it('gives events that decode what is asked for', () => {
    const [first, second, third] = batch
    assert.deepEqual({ ...first?.headers }, { a: '1', b: '2' })
    assert.equal(first?.headers, first?.headers)
    assert.equal(first?.body.toString(), 'first')
    assert.deepEqual({ ...second?.headers }, {})
    assert.deepEqual(second?.body, Buffer.from([0, 255]))
    assert.equal(third?.body.length, 0)
    assert.equal(batch.at(0).body.toString(), 'first')
  })

  it('refuses an index that it does not have', () => {
    for (const index of [-1, 3, 0.5, Number.NaN]) {
      assert.throws(() => batch.at(index), RangeError)
      assert.throws(() => batch.bodyAt(index), RangeError)
      assert.throws(() => batch.headerAt(index, 'a'), RangeError)
      assert.throws(() => batch.headersAt(index), RangeError)
      assert.throws(() => batch.byteLengthAt(index), RangeError)
    }
  })

  it('has any key as an ordinary key', () => {
    const odd = EventBatch.of([{ headers: { ['__proto__']: 'x', constructor: 'y', '': 'z' } }])
    assert.deepEqual(Object.entries(odd.headersAt(0)), [
      ['__proto__', 'x'],
      ['constructor', 'y'],
      ['', 'z'],
    ])
    assert.equal(odd.headerAt(0, 'toString'), undefined)
  })

  it('is one and the same when it is empty', () => {
    const empty = EventBatch.empty()
    assert.equal(empty.size, 0)
    assert.equal(empty.byteLength, 0)
    assert.equal(batch.slice(2, 2), empty)
    assert.equal(
      batch.filter(() => false),
      empty,
    )
    assert.equal(EventBatch.concat([]), empty)
    assert.equal(new EventBatchBuilder().build(), empty)
    assert.equal(empty.withHeaders([{ name: 'a', value: '1' }]), empty)
  })

  it('is given back as it is where nothing is left out', () => {
    assert.equal(batch.slice(0), batch)
    assert.equal(
      batch.filter(() => true),
      batch,
    )
    assert.equal(EventBatch.concat([EventBatch.empty(), batch]), batch)
    assert.equal(batch.partition(() => 'all').get('all'), batch)
  })

  it('counts all the memory that it keeps alive', () => {
    const frame = Buffer.allocUnsafeSlow(100_000).fill(0)
    frame[0] = 2
    const body = 60_000
    frame.set([0, ...varintBytes(body)], 1)
    const large = EventBatch.scanArray(frame).batch
    assert.equal(large.bytes.buffer, frame.buffer)
    assert.ok(large.retainedBytes >= 100_000)
    const small = EventBatch.scanArray(Buffer.from([2, 0, 0, 0])).batch
    assert.ok(small.retainedBytes < 1_000, 'a copy out of the pool of small buffers')
    const view = EventBatch.concat([large, small]).view(1)
    assert.ok(view.byteLength < 10 && view.retainedBytes > 60_000)
    assert.ok(view.slice(0, 1).retainedBytes > 60_000, 'the same view')
  })
})

function varintBytes(value: number): number[] {
  const writer = new ByteWriter(10)
  writer.writeVarint(value)
  return [...writer.buffer.subarray(0, writer.position)]
}

describe('EventBatchBuilder', () => {
  it('adds nothing of an event that it refuses', () => {
    const builder = new EventBatchBuilder()
    builder.add({ body: 'good' })
    const bad: unknown[] = [
      { headers: { a: 'fine', b: 1 } },
      { headers: { a: null } },
      { body: 5 },
      { body: [1, 2] },
    ]
    for (const event of bad) assert.throws(() => builder.add(event as never), TypeError)
    builder.add({ body: 'too' })
    const batch = builder.build()
    assert.deepEqual(
      Array.from(batch, (event) => event.body.toString()),
      ['good', 'too'],
    )
  })

  it('gives batches that share nothing with it', () => {
    const builder = new EventBatchBuilder()
    builder.add({ body: 'one' })
    const first = builder.build()
    for (let i = 0; i < 100; i += 1)
      builder.add({ headers: { i: String(i) }, body: 'x'.repeat(50) })
    const second = builder.build()
    builder.add({ body: 'three' })
    assert.equal(first.bodyAt(0).toString(), 'one')
    assert.equal(second.size, 100)
    assert.equal(second.headerAt(99, 'i'), '99')
    assert.ok(second.byteLength * 2 >= second.bytes.buffer.byteLength)
  })

  it('writes lone surrogates as the replacement character', () => {
    const batch = EventBatch.of([{ headers: { a: 'x\ud800y' }, body: '\udc00' }])
    assert.equal(batch.headerAt(0, 'a'), 'x\ufffdy')
    assert.equal(batch.bodyAt(0).toString(), '\ufffd')
  })
})

describe('ByteWriter', () => {
  it('grows and keeps what was written', () => {
    const writer = new ByteWriter(1)
    writer.writeString('ä'.repeat(70))
    writer.writeBytes(Buffer.from([1, 2, 3]))
    writer.writeRaw(Buffer.from([9]))
    const written = writer.buffer.subarray(0, writer.position)
    const expected = Buffer.concat([
      Buffer.from([0x98, 0x02]),
      Buffer.from('ä'.repeat(70)),
      Buffer.from([6, 1, 2, 3, 9]),
    ])
    assert.ok(written.equals(expected))
  })
})
