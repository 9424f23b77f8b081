import {
  defineDeserializer,
  type DeserializedEvents,
  type EventDeserializer,
  type InputFile,
  option,
} from '@millrace/component'
import { EventBatch } from '@millrace/event'

/** Flume's `BlobDeserializer`: a file is an event. */
export const blobDeserializer = defineDeserializer({
  alias: 'BLOB',
  classNames: ['org.apache.flume.sink.solr.morphline.BlobDeserializer$Builder'],
  summary: 'Makes an event of a whole file.',
  options: {
    maxBlobLength: option.int('maxBlobLength', {
      description: 'Longest body; what is more of a file becomes the next event.',
      unit: 'bytes',
      default: 100_000_000,
      min: 1,
    }),
  },
  create: ({ options, input }) => new BlobDeserializer(options.maxBlobLength, input),
})

/** The whole blob is held in memory, twice while it is made an event. */
export class BlobDeserializer implements EventDeserializer {
  readonly #maxBytes: number
  readonly #input: InputFile
  #position: number

  constructor(maxBytes: number, input: InputFile) {
    this.#maxBytes = maxBytes
    this.#input = input
    this.#position = input.start
  }

  /** One event at a time, whatever is asked for. */
  async read(): Promise<DeserializedEvents> {
    const length = Math.min(this.#maxBytes, this.#input.size - this.#position)
    if (length <= 0) return { batch: EventBatch.empty(), position: this.#position }
    const body = Buffer.allocUnsafeSlow(length)
    const read = await this.#input.read(body, this.#position)
    this.#position += read
    return { batch: EventBatch.of([{ body: body.subarray(0, read) }]), position: this.#position }
  }
}
