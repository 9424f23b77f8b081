import { format } from 'node:util'
import { avroOf, avroRecords, type LogRecord } from '@millrace/appender'
import type { LoggingEvent } from 'log4js'

/**
 * The records of an event whose arguments hold values from `avro`, one for each; a list of them may hold
 * texts, too. Undefined for any other event.
 */
export function avroRecordsOf(record: LogRecord, event: LoggingEvent): LogRecord[] | undefined {
  let records: LogRecord[] | undefined
  for (const value of event.data as readonly unknown[]) {
    if (typeof value !== 'object' || value === null) continue
    const found = Array.isArray(value) ? ofList(record, value) : ofValue(record, value)
    if (found !== undefined) records = records === undefined ? found : [...records, ...found]
  }
  return records
}

function ofValue(record: LogRecord, value: unknown): LogRecord[] | undefined {
  const avro = avroOf(value)
  return avro && avroRecords(record, avro)
}

/** An event for each element, as Java's appender has it for a collection. */
function ofList(record: LogRecord, values: readonly unknown[]): LogRecord[] | undefined {
  if (!values.some((value) => avroOf(value) !== undefined)) return undefined
  return values.flatMap(
    (value) => ofValue(record, value) ?? [{ ...record, text: format('%s', value) }],
  )
}
