import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { deflateRaw } from 'node:zlib'
import { defineSerializer, type EventSerializer, option } from '@millrace/component'
import { ByteWriter, type EventBatch } from '@millrace/event'

const deflate = promisify(deflateRaw)

/** Codecs of Avro container files that Flume writes and this version does not. */
const REFUSED_CODECS = ['snappy', 'bzip2', 'xz', 'zstandard']

/** Flume's `avro_event` serializer: an Avro container file of records with headers and body. */
export const avroEventSerializer = defineSerializer({
  alias: 'avro_event',
  classNames: ['org.apache.flume.serialization.FlumeEventAvroEventSerializer$Builder'],
  summary: 'Writes an Avro container file whose records have headers and body.',
  options: {
    syncIntervalBytes: option.int('syncIntervalBytes', {
      description: 'Largest block before compression; a batch ends a block in any case.',
      default: 2_048_000,
      min: 32,
      max: 2 ** 30,
    }),
    compressionCodec: option.string('compressionCodec', {
      description: 'Compression of each block: null or deflate.',
      default: 'null',
    }),
  },
  check({ compressionCodec: codec }) {
    if (codec === 'null' || codec === 'deflate') return []
    if (REFUSED_CODECS.includes(codec)) {
      return [
        {
          key: 'compressionCodec',
          code: 'MILLRACE_CONFIG_UNSUPPORTED',
          message: `${codec} cannot be written yet; use deflate or null`,
        },
      ]
    }
    const message = `${codec} is no Avro codec: files are written without compression`
    return [{ key: 'compressionCodec', severity: 'warning', message }]
  },
  create: (context) => new AvroEventSerializer(context.options),
})

export interface AvroEventSerializerOptions {
  readonly syncIntervalBytes: number
  readonly compressionCodec: string
}

const MAGIC = Buffer.from('Obj\x01', 'latin1')
const SYNC_BYTES = 16
const SCHEMA =
  '{"type":"record","name":"Event","fields":[{"name":"headers","type":{"type":"map","values":"string"}},{"name":"body","type":"bytes"}]}'

/**
 * Writes Avro object container files (Avro 1.11 specification, "Object Container Files"):
 *
 *     file  := "Obj" 1, map of metadata, 16 sync bytes, block*
 *     block := long count, long length of data, data, the same 16 sync bytes
 *
 * A batch's bytes are the records as they are: the record differs from the one of Flume's RPC in its
 * name only. A block ends with each batch, so what was serialized can always be read.
 */
export class AvroEventSerializer implements EventSerializer {
  readonly #sync = randomBytes(SYNC_BYTES)
  readonly #syncIntervalBytes: number
  readonly #codec: string

  constructor(options: AvroEventSerializerOptions) {
    this.#syncIntervalBytes = options.syncIntervalBytes
    this.#codec = options.compressionCodec
  }

  header(): Buffer {
    const isKnown = this.#codec === 'null' || this.#codec === 'deflate'
    const writer = new ByteWriter(256)
    writer.writeRaw(MAGIC)
    writer.writeVarint(isKnown ? 2 : 1)
    writer.writeString('avro.schema')
    writer.writeString(SCHEMA)
    if (isKnown) {
      writer.writeString('avro.codec')
      writer.writeString(this.#codec)
    }
    writer.writeVarint(0)
    writer.writeRaw(this.#sync)
    return writer.buffer.subarray(0, writer.position)
  }

  async serialize(batch: EventBatch): Promise<Buffer> {
    const blocks = this.#blocks(batch)
    const writer = new ByteWriter(batch.byteLength + blocks.length * (SYNC_BYTES + 20))
    for (const block of blocks) {
      const data = this.#codec === 'deflate' ? await deflate(block.bytes) : block.bytes
      writer.writeVarint(block.size)
      writer.writeBytes(data)
      writer.writeRaw(this.#sync)
    }
    return writer.buffer.subarray(0, writer.position)
  }

  /** Slices of about the sync interval; an event that is larger is a block of its own. */
  #blocks(batch: EventBatch): readonly EventBatch[] {
    if (batch.size === 0) return []
    if (batch.byteLength <= this.#syncIntervalBytes) return [batch]
    const blocks: EventBatch[] = []
    let start = 0
    let length = 0
    for (let i = 0; i < batch.size; i += 1) {
      const size = batch.byteLengthAt(i)
      if (length > 0 && length + size > this.#syncIntervalBytes) {
        blocks.push(batch.slice(start, i))
        start = i
        length = 0
      }
      length += size
    }
    blocks.push(batch.slice(start))
    return blocks
  }
}
