import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'

/** An event array inside a chunk that is `times` as long. */
function chunkOf(body: Buffer, times: number): { chunk: Buffer; start: number; end: number } {
  const events = EventBatch.of([{ headers: { k: 'v' }, body }, { body: 'second' }])
  const array = Buffer.concat([Buffer.of(4), events.bytes, Buffer.of(0)])
  const chunk = Buffer.allocUnsafeSlow(Math.floor(events.byteLength * times))
  const start = chunk.length - array.length
  array.copy(chunk, start)
  return { chunk, start, end: chunk.length }
}

describe('the memory of a scanned batch', () => {
  const body = Buffer.alloc(5_000, 'x')

  it('is that of its chunk when it uses a third of it or more', () => {
    for (const times of [1.1, 2.9]) {
      const { chunk, start, end } = chunkOf(body, times)
      const { batch } = EventBatch.scanArray(chunk, start, end)
      assert.equal(batch.bytes.buffer, chunk.buffer)
      assert.ok(batch.retainedBytes >= chunk.length)
    }
  })

  it('is its own when it uses less, and the events are the same', () => {
    const { chunk, start, end } = chunkOf(body, 3.1)
    const { batch } = EventBatch.scanArray(chunk, start, end)
    assert.notEqual(batch.bytes.buffer, chunk.buffer)
    assert.ok(batch.retainedBytes < chunk.length / 2)
    chunk.fill(0)
    assert.equal(batch.size, 2)
    assert.deepEqual({ ...batch.headersAt(0) }, { k: 'v' })
    assert.deepEqual(batch.bodyAt(0), body)
    assert.equal(batch.bodyAt(1).toString(), 'second')
  })

  it('is its own for one event of a large chunk', () => {
    const event = EventBatch.of([{ headers: { a: 'b' }, body: 'one' }]).bytes
    const chunk = Buffer.allocUnsafeSlow(65_536)
    event.copy(chunk, 40_000)
    const { batch, end } = EventBatch.scanEvent(chunk, 40_000)
    assert.equal(end, 40_000 + event.length)
    assert.notEqual(batch.bytes.buffer, chunk.buffer)
    assert.equal(batch.bodyAt(0).toString(), 'one')
  })
})
