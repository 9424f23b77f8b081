/** Reads what an agent's file_roll sink stores in Avro container files, while it is still written. */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import avro from 'avsc'

export interface StoredEvent {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

const LONG = avro.Type.forSchema('long')
const METADATA = avro.Type.forSchema({ type: 'map', values: 'bytes' })
const EVENT = avro.Type.forSchema({
  type: 'record',
  name: 'Event',
  fields: [
    { name: 'headers', type: { type: 'map', values: 'string' } },
    { name: 'body', type: 'bytes' },
  ],
})
const MAGIC_BYTES = 4
const SYNC_BYTES = 16

/** A value at an offset; undefined where the octets end before it does. */
function read(
  type: avro.Type,
  octets: Buffer,
  offset: number,
): { value: unknown; end: number } | undefined {
  const { value, offset: end } = type.decode(octets, offset)
  return end < 0 ? undefined : { value, end }
}

/** One container file without compression, of which every whole block is read once. */
class ContainerFile {
  readonly #path: string
  readonly #events: StoredEvent[]
  /** Where the octets begin that were not read yet. */
  #offset = 0

  constructor(path: string, events: StoredEvent[]) {
    this.#path = path
    this.#events = events
  }

  readOn(): void {
    const octets = readFrom(this.#path, this.#offset)
    let at = this.#offset === 0 ? headerEnd(octets) : 0
    for (let next = this.#readBlock(octets, at); next > at; next = this.#readBlock(octets, at)) {
      at = next
    }
    this.#offset += at
  }

  /** Gives the end of the block, or its start when it is not whole yet. */
  #readBlock(octets: Buffer, start: number): number {
    const count = start > 0 || this.#offset > 0 ? read(LONG, octets, start) : undefined
    const length = count && read(LONG, octets, count.end)
    if (!count || !length) return start
    const end = length.end + Number(length.value) + SYNC_BYTES
    if (end > octets.length) return start
    let at = length.end
    for (let left = Number(count.value); left > 0; left -= 1) {
      const event = read(EVENT, octets, at)
      if (event === undefined) throw new Error(`${this.#path} holds half an event`)
      const { headers, body } = event.value as StoredEvent
      this.#events.push({ headers: { ...headers }, body: Buffer.from(body) })
      at = event.end
    }
    return end
  }
}

function readFrom(path: string, offset: number): Buffer {
  const descriptor = openSync(path, 'r')
  try {
    const octets = Buffer.alloc(Math.max(0, fstatSync(descriptor).size - offset))
    return octets.subarray(0, readSync(descriptor, octets, 0, octets.length, offset))
  } finally {
    closeSync(descriptor)
  }
}

/** Where the first block of a file begins; 0 while its header is not whole. */
function headerEnd(octets: Buffer): number {
  const metadata = read(METADATA, octets, MAGIC_BYTES)
  const end = metadata ? metadata.end + SYNC_BYTES : 0
  return end <= octets.length ? end : 0
}

/** The events of one directory's files in the order in which they were stored. */
export class StoredEvents {
  readonly #directory: string
  readonly #files = new Map<string, ContainerFile>()
  readonly #events: StoredEvent[] = []

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Every event that is stored by now; the same array each time, which grows. */
  read(): readonly StoredEvent[] {
    const names = existsSync(this.#directory) ? readdirSync(this.#directory) : []
    for (const name of names.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))) {
      const file =
        this.#files.get(name) ?? new ContainerFile(join(this.#directory, name), this.#events)
      this.#files.set(name, file)
      file.readOn()
    }
    return this.#events
  }
}
