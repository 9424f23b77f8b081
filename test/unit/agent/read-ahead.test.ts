import assert from 'node:assert/strict'
import { ReadAhead, WINDOW_BYTES } from '@millrace/agent-core/internal/channels/read-ahead'
import { StoredEvents } from '@millrace/agent-core/internal/channels/stored-events'
import { EventBatch } from '@millrace/event'
import type { Consumer, ReadBatch } from '@millrace/wal'
import { bodiesOf } from '../../support/agent.js'

const BATCH_BYTES = 1024 ** 2
const large = (body: string) =>
  EventBatch.of([{ body: Buffer.from(body.padEnd(BATCH_BYTES, '.')) }])

/** A consumer whose events a test appends, and whose reads it can hold up or fail. */
class FakeConsumer implements Pick<Consumer, 'read' | 'nextSequence' | 'onReadable'> {
  nextSequence = 1
  onReadable: (() => void) | undefined
  reads = 0
  failure: unknown
  gate: Promise<void> = Promise.resolve()
  readonly #batches: ReadBatch[] = []
  #sequence = 1

  append(batch: EventBatch): void {
    this.#batches.push({ firstSequence: this.#sequence, batch, appendedAtMs: 1 })
    this.#sequence += batch.size
    this.onReadable?.()
  }

  async read({ maxBytes }: { readonly maxBytes: number }): Promise<ReadBatch[]> {
    this.reads += 1
    const found: ReadBatch[] = []
    let bytes = 0
    while (this.failure === undefined && bytes < maxBytes && this.#batches.length > 0) {
      const next = this.#batches.shift() as ReadBatch
      bytes += next.batch.byteLength
      this.nextSequence += next.batch.size
      found.push(next)
    }
    await this.gate
    if (this.failure !== undefined) throw this.failure
    return found
  }
}

function setUp() {
  const consumer = new FakeConsumer()
  const stored = new StoredEvents()
  const failures: unknown[] = []
  const readAhead = new ReadAhead({
    consumer: consumer as unknown as Consumer,
    stored,
    onEvents: () => {},
    onFailure: (error) => failures.push(error),
  })
  return { consumer, stored, failures, readAhead }
}

const takeAll = (stored: StoredEvents) =>
  stored
    .take(1_000, Number.MAX_SAFE_INTEGER)
    .flatMap(({ entry, from, to }) => bodiesOf(entry.batch.view(from, to)))
    .map((body) => body.slice(0, body.indexOf('.')))

describe('ReadAhead', () => {
  it('reads no more than its window, and on when that is half empty', async () => {
    const { consumer, stored, readAhead } = setUp()
    for (let i = 0; i < 40; i += 1) consumer.append(large(`e${i}`))
    await readAhead.reading
    assert.ok(stored.waitingBytes <= WINDOW_BYTES + BATCH_BYTES)
    const { reads } = consumer
    readAhead.fill()
    assert.equal(consumer.reads, reads)
    const taken: string[] = []
    while (taken.length < 40) {
      taken.push(...takeAll(stored))
      readAhead.fill()
      await readAhead.reading
      assert.ok(stored.waitingBytes <= WINDOW_BYTES + BATCH_BYTES)
    }
    assert.deepEqual(
      taken,
      Array.from({ length: 40 }, (_, i) => `e${i}`),
    )
  })

  it('sees what comes while a read that finds nothing is under way', async () => {
    const { consumer, stored, readAhead } = setUp()
    let open = () => {}
    consumer.gate = new Promise((resolve) => {
      open = resolve
    })
    readAhead.fill()
    consumer.append(large('late'))
    open()
    await readAhead.reading
    assert.deepEqual(takeAll(stored), ['late'])
    assert.equal(readAhead.reading, undefined)
  })

  it('tells a failed read, and reads again when it is asked to', async () => {
    const { consumer, stored, failures, readAhead } = setUp()
    consumer.failure = new Error('EIO')
    consumer.append(large('kept'))
    await readAhead.reading
    assert.deepEqual(failures, [consumer.failure])
    consumer.failure = undefined
    readAhead.fill()
    await readAhead.reading
    assert.deepEqual(takeAll(stored), ['kept'])
  })

  it('adds nothing after it was closed', async () => {
    const { consumer, stored, readAhead } = setUp()
    consumer.append(large('x'))
    const { reading } = readAhead
    readAhead.close()
    await reading
    assert.ok(stored.isEmpty)
    assert.equal(consumer.onReadable, undefined)
  })
})
