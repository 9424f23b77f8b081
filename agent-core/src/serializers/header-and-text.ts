import { defineSerializer, type EventSerializer, option } from '@millrace/component'
import { ByteWriter, type EventBatch } from '@millrace/event'
import { formatHeaders } from './java-map.js'

const LINE_FEED = Buffer.from('\n')

/** Flume's `header_and_text` serializer: headers as Java prints a map, a blank, the body. */
export const headerAndTextSerializer = defineSerializer({
  alias: 'header_and_text',
  classNames: ['org.apache.flume.serialization.HeaderAndBodyTextEventSerializer$Builder'],
  summary: 'Writes `{key=value, …} body` and a line feed.',
  options: {
    appendNewline: option.bool('appendNewline', {
      description: 'Writes a line feed behind each body.',
      default: true,
    }),
  },
  create: (context) => new HeaderAndTextSerializer(context.options.appendNewline),
})

/** Headers come in the order in which the event holds them, as UTF-8. */
export class HeaderAndTextSerializer implements EventSerializer {
  readonly #appendNewline: boolean

  constructor(appendNewline: boolean) {
    this.#appendNewline = appendNewline
  }

  serialize(batch: EventBatch): Buffer {
    const writer = new ByteWriter(batch.byteLength + batch.size * 8)
    for (let i = 0; i < batch.size; i += 1) {
      writer.writeRaw(Buffer.from(`${formatHeaders(batch.headersAt(i))} `))
      writer.writeRaw(batch.bodyAt(i))
      if (this.#appendNewline) writer.writeRaw(LINE_FEED)
    }
    return writer.buffer.subarray(0, writer.position)
  }
}
