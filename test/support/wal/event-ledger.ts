import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'
import type { ReadBatch } from '@millrace/wal'

/**
 * `pending`: the append has not answered. `cached`: promised to survive the process, not the machine. `stored`:
 * promised for good, or seen by a consumer. `unknown`: the append failed or the process ended first; it is there
 * whole or not at all. `refused`: it must never be seen.
 */
export type PutState = 'pending' | 'cached' | 'stored' | 'unknown' | 'refused'

export interface Put {
  readonly id: number
  readonly batch: EventBatch
  state: PutState
  /** Sequence of its first event, once it was seen. */
  firstSequence: number | undefined
}

const ACKNOWLEDGED = 1
const DELIVERED = 2
const NAME_BYTES = 8

interface Reader {
  /** Of each put a byte for each event. */
  readonly marks: Uint8Array[]
  /** Sequence behind the last event delivered since the log was opened. */
  nextSequence: number
  /** Index of the first put that the reader has not passed since the log was opened. */
  position: number
  /** Acknowledged events that may still come again. */
  repeatsLeft: number
  repeats: number
  /** Events whose acknowledgement the log has not taken note of. */
  unsettled: number
}

/**
 * What was put into a log, what came out, and the law between them: delivered ⊆ put; what was promised and not
 * acknowledged is delivered after each opening, whole, in order and byte for byte; what was acknowledged comes
 * again at most as often as the log says.
 */
export class EventLedger {
  readonly #puts: Put[] = []
  readonly #readers = new Map<string, Reader>()
  readonly #maxRepeatedEvents: number

  readonly #isDurable: boolean

  /** @param isDurable whether what a consumer sees is safe from a loss of power. */
  constructor(consumers: readonly string[], maxRepeatedEvents: number, isDurable = true) {
    this.#maxRepeatedEvents = maxRepeatedEvents
    this.#isDurable = isDurable
    for (const name of consumers) {
      this.#readers.set(name, {
        marks: [],
        nextSequence: 0,
        position: 0,
        repeatsLeft: 0,
        repeats: 0,
        unsettled: 0,
      })
    }
  }

  get puts(): readonly Put[] {
    return this.#puts
  }

  get events(): number {
    return this.#puts.reduce((sum, put) => sum + put.batch.size, 0)
  }

  get repeats(): number {
    let repeats = 0
    for (const reader of this.#readers.values()) repeats += reader.repeats
    return repeats
  }

  /** A batch that says in each body which event it is; `filling` gives what follows there. */
  make(size: number, filling: (index: number) => Uint8Array): Put {
    const id = this.#puts.length
    const batch = EventBatch.of(
      Array.from({ length: size }, (_, index) => {
        const name = Buffer.alloc(NAME_BYTES)
        name.writeUInt32BE(id, 0)
        name.writeUInt32BE(index, 4)
        return { headers: index % 3 === 0 ? { n: String(id) } : {}, body: [name, filling(index)] }
      }).map(({ headers, body }) => ({ headers, body: Buffer.concat(body) })),
    )
    const put: Put = { id, batch, state: 'pending', firstSequence: undefined }
    this.#puts.push(put)
    for (const reader of this.#readers.values()) reader.marks.push(new Uint8Array(size))
    return put
  }

  /** What an append answered. A put that was seen already stays stored. */
  answered(put: Put, state: Exclude<PutState, 'pending'>): void {
    if (put.state === 'stored') return
    put.state = state
  }

  /** A consumer got these batches. */
  delivered(consumer: string, reads: readonly ReadBatch[]): void {
    for (const read of reads) this.#deliveredOne(consumer, read)
  }

  /** A consumer acknowledges the events [from, to): from now on they may be gone. */
  acknowledged(consumer: string, from: number, to: number): void {
    const reader = this.#reader(consumer)
    for (const put of this.#puts) {
      if (put.firstSequence === undefined) continue
      const marks = reader.marks[put.id] as Uint8Array
      const first = Math.max(0, from - put.firstSequence)
      const last = Math.min(put.batch.size, to - put.firstSequence)
      for (let index = first; index < last; index += 1) {
        marks[index] = (marks[index] as number) | ACKNOWLEDGED
      }
    }
  }

  /** The log asks the consumer to wait with these acknowledgements (`+`), or is done with them (`-`). */
  unsettled(consumer: string, events: number): void {
    this.#reader(consumer).unsettled += events
  }

  /** A process ended: `power` without and `killed` with what it had not synced; `closed` in peace. */
  ended(how: 'power' | 'killed' | 'closed'): void {
    for (const put of this.#puts) {
      if (put.state === 'pending') put.state = 'unknown'
      if (put.state === 'cached' && how !== 'killed') {
        put.state = how === 'power' ? 'unknown' : 'stored'
      }
      // What is not there any more may have left its sequence to another put.
      if (put.state === 'unknown') put.firstSequence = undefined
    }
    for (const reader of this.#readers.values()) {
      if (how !== 'closed') reader.repeatsLeft += this.#maxRepeatedEvents + reader.unsettled
      reader.unsettled = 0
      reader.nextSequence = 0
      reader.position = 0
      for (const marks of reader.marks) {
        for (let i = 0; i < marks.length; i += 1) marks[i] = (marks[i] as number) & ~DELIVERED
      }
    }
  }

  /** A consumer has read all that there is: nothing that was promised is missing. */
  drained(consumer: string): void {
    const reader = this.#reader(consumer)
    this.#pass(consumer, this.#puts.length)
    reader.repeatsLeft = 0
  }

  #deliveredOne(consumer: string, { batch, firstSequence }: ReadBatch): void {
    const reader = this.#reader(consumer)
    const body = batch.bodyAt(0)
    const [id, index] = [body.readUInt32BE(0), body.readUInt32BE(4)]
    const put = this.#puts[id]
    assert.ok(put, `${consumer} got event ${firstSequence}, which was never put`)
    const what = `${consumer}: put ${id}, event ${index} and ${batch.size - 1} more, sequence ${firstSequence}`
    assert.ok(
      batch.bytes.equals(put.batch.view(index, index + batch.size).bytes),
      `${what}: other bytes than were put`,
    )
    assert.notEqual(put.state, 'refused', `${what}: it was refused`)
    if (put.state !== 'stored') put.state = this.#isDurable ? 'stored' : 'cached'
    put.firstSequence ??= firstSequence - index
    assert.equal(firstSequence - index, put.firstSequence, `${what}: had another sequence before`)
    assert.ok(firstSequence >= reader.nextSequence, `${what}: after ${reader.nextSequence - 1}`)
    reader.nextSequence = firstSequence + batch.size
    this.#pass(consumer, id)
    const marks = reader.marks[id] as Uint8Array
    for (let i = index; i < index + batch.size; i += 1) {
      const mark = marks[i] as number
      assert.ok((mark & DELIVERED) === 0, `${what}: event ${i} came twice in one opening`)
      if ((mark & ACKNOWLEDGED) !== 0) this.#repeated(reader, what)
      marks[i] = DELIVERED
    }
  }

  #repeated(reader: Reader, what: string): void {
    reader.repeats += 1
    reader.repeatsLeft -= 1
    assert.ok(reader.repeatsLeft >= 0, `${what}: more acknowledged events came again than may`)
  }

  /** Nothing that was promised lies open behind a reader. */
  #pass(consumer: string, position: number): void {
    const reader = this.#reader(consumer)
    assert.ok(position >= reader.position - 1, `${consumer}: put ${position} came out of order`)
    for (; reader.position < position; reader.position += 1) {
      const put = this.#puts[reader.position] as Put
      if (put.state !== 'stored' && put.state !== 'cached') continue
      const open = (reader.marks[put.id] as Uint8Array).indexOf(0)
      assert.ok(
        open < 0,
        `${consumer}: event ${open} of ${put.batch.size} of put ${put.id} (sequence ${put.firstSequence}) is lost`,
      )
    }
  }

  #reader(consumer: string): Reader {
    const reader = this.#readers.get(consumer)
    assert.ok(reader, consumer)
    return reader
  }
}
