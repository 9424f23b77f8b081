import { defineSerializer, type EventSerializer, option } from '@millrace/component'
import type { EventBatch } from '@millrace/event'

const LINE_FEED = 0x0a

/** Flume's `text` serializer: the bodies, one behind the other; headers are left out. */
export const textSerializer = defineSerializer({
  alias: 'text',
  classNames: ['org.apache.flume.serialization.BodyTextEventSerializer$Builder'],
  summary: 'Writes each body, and a line feed behind it.',
  options: {
    appendNewline: option.bool('appendNewline', {
      description: 'Writes a line feed behind each body.',
      default: true,
    }),
  },
  create: (context) => new TextSerializer(context.options.appendNewline),
})

export class TextSerializer implements EventSerializer {
  readonly #appendNewline: boolean

  constructor(appendNewline: boolean) {
    this.#appendNewline = appendNewline
  }

  serialize(batch: EventBatch): Buffer {
    // An encoded event is at least a byte longer than its body, which pays for the line feed.
    const bytes = Buffer.allocUnsafe(batch.byteLength)
    let position = 0
    for (let i = 0; i < batch.size; i += 1) {
      position += batch.bodyAt(i).copy(bytes, position)
      if (this.#appendNewline) {
        bytes[position] = LINE_FEED
        position += 1
      }
    }
    return bytes.subarray(0, position)
  }
}
