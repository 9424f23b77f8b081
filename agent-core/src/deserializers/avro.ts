import { inflateRawSync } from 'node:zlib'
import avsc from 'avsc'
import {
  defineDeserializer,
  type DeserializedEvents,
  type EventDeserializer,
  type InputFile,
  option,
} from '@millrace/component'
import { EventBatch } from '@millrace/event'
import { InputError, messageOf } from '@millrace/runtime'
import {
  type ContainerHead,
  MAX_BLOCK_HEAD_BYTES,
  readBlock,
  readHead,
  SYNC_BYTES,
} from '../files/avro-container.js'
import { batchOfSlices, encodeHeaders } from '../sources/body-slices.js'
import { schemaHash } from './schema-hash.js'

/** Flume's `AVRO` deserializer: each record of an Avro container file is an event. */
export const avroDeserializer = defineDeserializer({
  alias: 'AVRO',
  classNames: ['org.apache.flume.serialization.AvroEventDeserializer$Builder'],
  summary: 'Makes an event of each record of an Avro container file.',
  options: {
    schemaType: option.enum('schemaType', ['HASH', 'LITERAL'], {
      description:
        'How the schema goes with each event: its CRC-64-AVRO in flume.avro.schema.hash, or its text in flume.avro.schema.literal.',
      default: 'HASH',
    }),
  },
  create: ({ options, input }) => new AvroDeserializer(options.schemaType, input),
})

const FIRST_HEAD_BYTES = 64 * 1_024
/** Longest head of a file, its schema included, in bytes. */
const MAX_HEAD_BYTES = 16 * 1_024 * 1_024
/** Longest block, also when it is unpacked, in bytes. */
const MAX_BLOCK_BYTES = 256 * 1_024 * 1_024
const SCAN_BYTES = 64 * 1_024

interface OpenContainer {
  readonly head: ContainerHead
  readonly type: avsc.Type
  readonly isDeflated: boolean
  /** The encoded headers of every event. */
  readonly headers: Buffer
}

/** The block at hand. */
interface Block {
  readonly data: Buffer
  /** Start of each record in the data, and the end of the last. */
  readonly offsets: readonly number[]
  given: number
}

/**
 * A body is the record as it stands in the file. Where to begin again is the marker in front of the
 * block that was not given as a whole: after a restart the records of one block can come twice.
 */
export class AvroDeserializer implements EventDeserializer {
  readonly #schemaType: 'HASH' | 'LITERAL'
  readonly #input: InputFile
  #open: OpenContainer | undefined
  #block: Block | undefined
  /** Offsets of the block at hand and of the one behind it. */
  #blockStart = 0
  #nextStart = 0

  constructor(schemaType: 'HASH' | 'LITERAL', input: InputFile) {
    this.#schemaType = schemaType
    this.#input = input
  }

  async read(maxEvents: number): Promise<DeserializedEvents> {
    this.#open ??= await this.#begin()
    const { headers } = this.#open
    while (!this.#block) {
      this.#blockStart = this.#nextStart
      if (this.#blockStart >= this.#input.size) {
        return { batch: EventBatch.empty(), position: this.#blockStart - SYNC_BYTES }
      }
      const block = await this.#readBlock(this.#open)
      if (block.offsets.length > 1) this.#block = block
    }
    const block = this.#block
    const end = Math.min(block.given + maxEvents, block.offsets.length - 1)
    const slices = block.offsets.slice(block.given, end).flatMap((start, i) => {
      return [start, block.offsets[block.given + i + 1] ?? start]
    })
    block.given = end
    const isDone = end === block.offsets.length - 1
    if (isDone) this.#block = undefined
    return {
      batch: batchOfSlices(block.data, slices, headers),
      position: (isDone ? this.#nextStart : this.#blockStart) - SYNC_BYTES,
    }
  }

  async #begin(): Promise<OpenContainer> {
    const head = await this.#readHead()
    const codec = head.metadata.get('avro.codec')?.toString() ?? 'null'
    if (codec !== 'null' && codec !== 'deflate') {
      throw new InputError(`the codec ${codec} is not supported; null and deflate are`)
    }
    const schema = head.metadata.get('avro.schema')?.toString() ?? ''
    const type = typeOf(schema)
    const literal = { 'flume.avro.schema.literal': JSON.stringify(JSON.parse(schema)) }
    const hash = { 'flume.avro.schema.hash': schemaHash(type) }
    this.#nextStart = await this.#firstBlock(head)
    const headers = encodeHeaders(this.#schemaType === 'LITERAL' ? literal : hash)
    return { head, type, isDeflated: codec === 'deflate', headers }
  }

  async #readHead(): Promise<ContainerHead> {
    for (let wanted = FIRST_HEAD_BYTES; wanted <= MAX_HEAD_BYTES; wanted *= 4) {
      const bytes = Buffer.allocUnsafe(Math.min(wanted, this.#input.size))
      const head = readHead(bytes.subarray(0, await this.#input.read(bytes, 0)))
      if (head) return head
      if (wanted >= this.#input.size) break
    }
    throw new InputError('the head of the Avro file has no end')
  }

  /** The first block behind the marker that is at or behind the start. */
  async #firstBlock(head: ContainerHead): Promise<number> {
    const { start, size } = this.#input
    if (start < head.length) return head.length
    const window = Buffer.allocUnsafe(SCAN_BYTES)
    for (let from = start; from < size; from += SCAN_BYTES - SYNC_BYTES) {
      const length = await this.#input.read(window, from)
      const at = window.subarray(0, length).indexOf(head.sync)
      if (at >= 0) return from + at + SYNC_BYTES
    }
    return size
  }

  async #readBlock({ head, type, isDeflated }: OpenContainer): Promise<Block> {
    const front = Buffer.allocUnsafe(MAX_BLOCK_HEAD_BYTES)
    const length = await this.#input.read(front, this.#blockStart)
    const found = readBlock(front.subarray(0, length), 0)
    const size = found ? found.end - found.start : 0
    if (!found || size > MAX_BLOCK_BYTES) throw this.#damaged('has no readable beginning')
    const bytes = Buffer.allocUnsafeSlow(size + SYNC_BYTES)
    const dataStart = this.#blockStart + found.start
    if ((await this.#input.read(bytes, dataStart)) < bytes.length) throw this.#damaged('is cut off')
    if (!bytes.subarray(size).equals(head.sync)) throw this.#damaged('does not end in its marker')
    this.#nextStart = dataStart + bytes.length
    const data = isDeflated ? this.#inflate(bytes.subarray(0, size)) : bytes.subarray(0, size)
    return { data, offsets: this.#offsetsOf(type, data, found.count), given: 0 }
  }

  #inflate(bytes: Buffer): Buffer {
    try {
      return inflateRawSync(bytes, { maxOutputLength: MAX_BLOCK_BYTES })
    } catch (error) {
      throw this.#damaged(`cannot be unpacked: ${messageOf(error)}`)
    }
  }

  #offsetsOf(type: avsc.Type, data: Buffer, count: number): number[] {
    const offsets = [0]
    let at = 0
    try {
      for (let i = 0; i < count; i += 1) {
        const { offset } = type.decode(data, at)
        if (offset < 0) break
        at = offset
        offsets.push(at)
      }
    } catch (error) {
      throw this.#damaged(`holds what its schema does not allow: ${messageOf(error)}`)
    }
    if (offsets.length === count + 1 && at === data.length) return offsets
    throw this.#damaged('does not hold the records that it should')
  }

  #damaged(how: string): InputError {
    return new InputError(`the block of the Avro file at ${this.#blockStart} ${how}`)
  }
}

/** Numbers of 64 bits do not fit into those of JavaScript; nobody looks at them here. */
const LONG = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(value)
    return bytes
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => Number(a > b) - Number(a < b),
})

function typeOf(schema: string): avsc.Type {
  try {
    return avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema, { registry: { long: LONG } })
  } catch (error) {
    throw new InputError(`the schema of the Avro file cannot be used: ${messageOf(error)}`)
  }
}
