import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const bodies = (batch: EventBatch) => [...batch].map(({ body }) => body.toString())

describe('an array of events in several blocks', () => {
  it('has its events in order, without what stands between them', () => {
    // 2 events; 1 event in a block that tells its size; 1 event; behind the end something else.
    const bytes = hex('ff 04 000261 02026b0276000262 01 06 000263 02 000264 00 7f')
    const { batch, end } = EventBatch.scanArray(bytes, 1)
    assert.deepEqual(bodies(batch), ['a', 'b', 'c', 'd'])
    assert.equal(batch.headerAt(1, 'k'), 'v')
    assert.equal(end, bytes.length - 1)
    assert.equal(batch.byteLength, 3 + 8 + 3 + 3)
    assert.equal(batch.retainedBytes < 300, true)
  })

  it('keeps events of any length, as one block does', () => {
    const lengths = [0, 1, 60, 61, 62, 63, 64, 200, 10_000]
    const events = lengths.map((length) => ({
      headers: { n: `${length}` },
      body: 'x'.repeat(length),
    }))
    const blocks = events.flatMap((event) => [Buffer.of(2), EventBatch.of([event]).bytes])
    const { batch } = EventBatch.scanArray(Buffer.concat([...blocks, Buffer.of(0)]))
    assert.deepEqual(batch.bytes, EventBatch.of(events).bytes)
    assert.deepEqual(batch.bodyAt(8).length, 10_000)
  })

  it('is refused whole when a later block is cut or lies about its count', () => {
    for (const rest of ['', '02', '04 000262', '02 000262', 'feffffff0f 000262 00'])
      assert.throws(() => EventBatch.scanArray(hex(`02 000261 ${rest}`)), /EOF|Malformed/, rest)
  })

  it('takes time by its length, not by the square of its blocks', () => {
    const blocks = 1_000_000
    const bytes = Buffer.alloc(blocks * 3 + 1)
    for (let i = 0; i < blocks; i += 1) bytes[i * 3] = 2
    const beganMs = performance.now()
    assert.equal(EventBatch.scanArray(bytes).batch.size, blocks)
    // Some 0.1 s; a copy for each block would take minutes.
    assert.ok(performance.now() - beganMs < 5_000)
  })
})
