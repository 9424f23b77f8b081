import type { ByteWriter } from '@millrace/event'
import type { LogRecord } from './log-record.js'

/** Turns a record of a logger into an event. */
export interface EventMapper {
  /**
   * Writes exactly one `AvroFlumeEvent` at `writer.position`. Everything is read from the record
   * now, while the logger's call runs: what the caller changes afterwards is not seen. When it
   * throws, the writer is set back and the record counts as dropped for the reason `encode`.
   */
  encode(record: LogRecord, writer: ByteWriter): void
}
