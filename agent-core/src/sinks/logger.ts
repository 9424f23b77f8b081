import { defineSink, option, type Sink } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import type { Logger } from '@millrace/runtime'
import { formatHeaders } from '../serializers/java-map.js'

/** Flume's `logger` sink: shows each event in the agent's own log. */
export const loggerSink = defineSink({
  alias: 'logger',
  classNames: ['org.apache.flume.sink.LoggerSink'],
  summary: 'Writes each event to the log of the agent at level info.',
  isMonitored: false,
  options: {
    maxBytesToLog: option.int('maxBytesToLog', {
      description: 'Most bytes of a body that are shown.',
      default: 16,
    }),
  },
  batchSize: () => ({ key: 'type', events: 1 }),
  create: (context) => new LoggerSink(context.options.maxBytesToLog, context.logger),
})

/** One event per transaction, as in Flume. */
export class LoggerSink implements Sink {
  readonly batchSize = 1
  readonly #maxBytesToLog: number
  readonly #logger: Logger

  constructor(maxBytesToLog: number, logger: Logger) {
    this.#maxBytesToLog = maxBytesToLog
    this.#logger = logger
  }

  async write(batch: EventBatch): Promise<void> {
    if (!this.#logger.isEnabled('info')) return
    for (let i = 0; i < batch.size; i += 1) {
      const headers = formatHeaders(batch.headersAt(i))
      const body = dumpBytes(batch.bodyAt(i).subarray(0, this.#maxBytesToLog))
      this.#logger.info(`Event: { headers:${headers} body:${body} }`)
    }
  }
}

const ROW_BYTES = 16

/**
 * Bytes as Flume's logger sink shows them: rows of sixteen, each in hexadecimal and as ASCII with a
 * dot for what cannot be printed; each row but the first begins with its offset.
 */
export function dumpBytes(bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += ROW_BYTES) {
    if (start > 0) text += `\n${start.toString(16).toUpperCase().padStart(8, '0')}`
    let shown = ''
    for (let i = start; i < start + ROW_BYTES; i += 1) {
      const byte = bytes[i]
      text += byte === undefined ? '   ' : ` ${byte.toString(16).toUpperCase().padStart(2, '0')}`
      if (byte !== undefined) {
        shown += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'
      }
    }
    text += ` ${shown}`
  }
  return text
}
