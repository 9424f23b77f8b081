import { checkAppenderOptions, createEventMapper, type LogRecord } from '@millrace/appender'
import { ByteWriter, EventBatch } from '@millrace/event'

export interface MappedEvent {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly text: string
  /** The whole encoded event. */
  readonly bytes: Buffer
}

/** A record of every day, to be varied. */
export const aRecord: LogRecord = {
  timestampMs: 1_790_000_000_123,
  level: 20_000,
  levelName: 'info',
  loggerName: 'billing',
  text: 'paid',
}

/** The process that events seem to come from. */
export const anIdentity = {
  host: 'web-1',
  address: '10.0.0.7',
  pid: 4_711,
  worker: undefined,
}

export function aMapper(options: object = {}, identity: object = anIdentity) {
  const settings = checkAppenderOptions({ hosts: ['localhost:41414'], ...options })
  return createEventMapper({ ...settings, loggerName: 'root' }, { identity })
}

/** Encodes one record and reads it back as a receiver does: the bytes must be exactly one event. */
export function mapped(record: LogRecord, options: object = {}): MappedEvent {
  return encoded(aMapper(options), record)
}

export function encoded(mapper: ReturnType<typeof aMapper>, record: LogRecord): MappedEvent {
  const writer = new ByteWriter(16)
  mapper.encode(record, writer)
  const bytes = Buffer.from(writer.buffer.subarray(0, writer.position))
  const { batch, end } = EventBatch.scanEvent(bytes)
  if (end !== bytes.length) throw new Error(`${bytes.length - end} bytes behind the event`)
  const body = Buffer.from(batch.bodyAt(0))
  return { headers: { ...batch.headersAt(0) }, body, text: body.toString(), bytes }
}
