/**
 * What a server answers.
 *
 *     response := [handshake] metadata errorFlag payload
 *     metadata := map<bytes>, always empty here: 00
 *     payload  := 00 flag: Status as enum index | 01 flag: 00 string (no error type is declared)
 *
 * On the wire a response is a frame of three buffers, `[handshake or empty] [metadata] [payload]`;
 * one of a ping or of NONE has the first only.
 */
import { encodeString, EnvelopeReader } from './avro-primitives.js'
import { STATUS_SYMBOLS } from './source-protocol.js'
import { AvroError, messageOf, MillraceError } from '@millrace/runtime'

export type Status = (typeof STATUS_SYMBOLS)[number]

/** A server's word on one call. */
export type Outcome =
  | { readonly status: Status; readonly error?: undefined }
  | { readonly status?: undefined; readonly error: string }

/** On an established connection the handshake's buffer is empty. */
export const NO_HANDSHAKE = Buffer.alloc(0)

export const OK_PAYLOAD: Buffer = Buffer.of(0, 0)
export const FAILED_PAYLOAD: Buffer = Buffer.of(0, 2)
export const TRUNCATED_TEXT = 'java.io.EOFException'

/** The payload of a system error. */
export function errorPayload(text: string): Buffer {
  return Buffer.concat([Buffer.of(1, 0), encodeString(text)])
}

/** The text of a system error, as a Java peer's log would show it. */
export function errorText(error: unknown): string {
  if (MillraceError.is(error) && error.code.startsWith('MILLRACE_AVRO_')) {
    const text = messageOf(error)
    return text.startsWith('java.') ? text : `org.apache.avro.AvroRuntimeException: ${text}`
  }
  const name = error instanceof Error ? error.name : 'Error'
  return `${name}: ${messageOf(error)}`
}

/**
 * Reads the part of a response behind the handshake, to its end: behind a handshake where none belongs,
 * FAILED would begin like OK.
 * @throws AvroError when it is no response.
 */
export function readOutcome(reader: EnvelopeReader): Outcome {
  reader.skipBytesMap()
  const outcome = readPayload(reader)
  if (reader.position < reader.end) {
    const message = `${reader.end - reader.position} octets behind the answer`
    throw new AvroError('MILLRACE_AVRO_INVALID', message)
  }
  return outcome
}

function readPayload(reader: EnvelopeReader): Outcome {
  if (reader.readByte() === 0) {
    return { status: STATUS_SYMBOLS[reader.readIndex(STATUS_SYMBOLS.length)] as Status }
  }
  reader.readIndex(1)
  return { error: reader.readString() }
}
