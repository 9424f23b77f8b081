import type { ByteWriter } from '@millrace/event'
import type { EventMapper } from '../event-mapper.js'
import type { LogRecord } from '../log-record.js'
import { type OptionGroup, oneOf } from '../options/option-check.js'

/** The options that say how a record becomes an event. */
export interface MappingOptions {
  readonly profile?: 'log4j1' | undefined
  readonly body?: 'text' | undefined
}

/** The checks of {@link MappingOptions}. */
export const mappingOptions = {
  profile: oneOf(['log4j1'], { default: 'log4j1' }),
  body: oneOf(['text'], { default: 'text' }),
} as const satisfies OptionGroup

/** What a mapper is made from: checked options of the appender and the defaults of its logger. */
export interface MapperSettings {
  readonly profile: 'log4j1'
  readonly body: 'text'
  /** The logger name of records that have none. */
  readonly loggerName: string
  /** Largest body in bytes. */
  readonly maxEventBytes: number
  readonly headerCaps: { readonly maxValueBytes: number; readonly maxEventBytes: number }
}

export function createEventMapper(settings: MapperSettings): EventMapper {
  return {
    encode(record: LogRecord, writer: ByteWriter) {
      writer.writeVarint(2)
      writer.writeString('flume.client.log4j.logger.name')
      writer.writeString(record.loggerName || settings.loggerName)
      writer.writeString('flume.client.log4j.log.level')
      writer.writeString(String(record.level))
      writer.writeVarint(0)
      if (typeof record.text === 'string') writer.writeString(record.text)
      else writer.writeBytes(record.text)
    },
  }
}
