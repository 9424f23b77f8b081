import { messageOf } from '@millrace/runtime'
import type { LogRecord } from '../log-record.js'

/**
 * What writes values of one Avro schema as bare binary data: a `Type` of the package `avsc`, or
 * anything else with these functions.
 */
export interface AvroWriter<V = unknown> {
  /** The value's binary encoding: no container, no schema in front. Throws for another value. */
  toBuffer(value: V): Uint8Array
  /** The schema, as JSON or as a value that becomes it; not needed when the options name it. */
  schema?(): unknown
}

export interface AvroBodyOptions {
  /** The schema's JSON as it goes out in `flume.avro.schema.literal`. Default: what the type tells. */
  readonly schema?: string | object | undefined
  /** Goes out as `flume.avro.schema.url`, in place of the schema itself. */
  readonly url?: string | undefined
}

/** Key of the data in an {@link AvroBody}: no format, serialiser or spread shows or loses it. */
export const AVRO: unique symbol = Symbol.for('millrace.avro') as never

/** The bodies of one log call, encoded when it was made. */
export interface AvroData {
  readonly data: readonly Uint8Array[]
  readonly schema: string | undefined
  readonly url: string | undefined
  /** Why the values could not be encoded. */
  readonly failure: string | undefined
}

/** A value that is logged as a record of Avro; made by {@link avro}. */
export class AvroBody {
  readonly [AVRO]: AvroData

  constructor(data: AvroData) {
    this[AVRO] = data
  }

  /** The form in which pino hands it to a worker. */
  toJSON(): unknown {
    const { data, schema, url, failure } = this[AVRO]
    const datums = data.map((one) => Buffer.from(one).toString('base64'))
    return { $millrace: { avro: datums, schema, url, failure } }
  }
}

/**
 * A value to log whose event's body is its Avro encoding, with the schema in a header, as Flume's
 * Log4j appenders have it. It is encoded now: what happens to `value` later is not seen. Never throws:
 * a value that does not fit makes an event of text that says so.
 */
export function avro<V>(writer: AvroWriter<V>, value: V, options: AvroBodyOptions = {}): AvroBody {
  return avroList(writer, [value], options)
}

/** As {@link avro}, for several values: each becomes an event of its own. */
export function avroList<V>(
  writer: AvroWriter<V>,
  values: readonly V[],
  options: AvroBodyOptions = {},
): AvroBody {
  const { url } = options
  try {
    const data = values.map((value) => writer.toBuffer(value))
    const schema = url === undefined ? schemaText(options.schema ?? writer.schema?.()) : undefined
    return new AvroBody({ data, schema, url, failure: undefined })
  } catch (error) {
    return new AvroBody({ data: [], schema: undefined, url, failure: failureOf(error) })
  }
}

function failureOf(error: unknown): string {
  try {
    return `not a value of its Avro schema: ${messageOf(error)}`
  } catch {
    return 'not a value of its Avro schema'
  }
}

function schemaText(schema: unknown): string {
  if (typeof schema === 'string') return schema
  if (schema === undefined) throw new TypeError('the schema is missing')
  return JSON.stringify(schema)
}

/** What a logged value, or an object that was made of it, holds when it comes from {@link avro}. */
export function avroOf(value: unknown): AvroData | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  try {
    return (value as Partial<AvroBody>)[AVRO]
  } catch {
    // A proxy: not one of ours.
    return undefined
  }
}

/** The records of a call that logged such a value: one for each. */
export function avroRecords(record: LogRecord, avro: AvroData): LogRecord[] {
  const { data, schema, url, failure } = avro
  if (failure === undefined) {
    return data.map((bytes) => ({ ...record, avro: { bytes, schema, url } }))
  }
  return [{ ...record, avro: { bytes: NO_BYTES, schema, url, failure } }]
}

const NO_BYTES = new Uint8Array()

/** What {@link AvroBody.toJSON} has made; undefined for anything else. */
export function avroOfJson(value: unknown): AvroData | undefined {
  const inner = field(value, '$millrace')
  const datums = field(inner, 'avro')
  if (!Array.isArray(datums) || !datums.every((one) => typeof one === 'string')) return undefined
  return {
    data: datums.map((one: string) => Buffer.from(one, 'base64')),
    schema: textField(inner, 'schema'),
    url: textField(inner, 'url'),
    failure: textField(inner, 'failure'),
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function textField(value: unknown, name: string): string | undefined {
  const text = field(value, name)
  return typeof text === 'string' ? text : undefined
}
