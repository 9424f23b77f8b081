/**
 * What a client sends.
 *
 *     request  := [handshake] metadata name parameter
 *     metadata := map<bytes>, always empty here: 00
 *     append      parameter := event
 *     appendBatch parameter := 00 | count event* 00
 *
 * On the wire a request is a frame of two buffers, `[handshake metadata name] [parameter]`.
 */
import { encodeString } from './avro-primitives.js'
import type { MessageName } from './request-decoder.js'
import { type EventBatch, varintSize, writeVarint } from '@millrace/event'

const NO_OCTETS = Buffer.alloc(0)
const END_OF_ARRAY = Buffer.of(0)

const ENVELOPES = {
  append: Buffer.concat([Buffer.of(0), encodeString('append')]),
  appendBatch: Buffer.concat([Buffer.of(0), encodeString('appendBatch')]),
} as const satisfies Record<MessageName, Buffer>

/** Above this the events are handed to the stream as they are, in place of being copied into the frame. */
const MAX_COPIED_BYTES = 16_384
const HEADERS_BYTES = 16

/** A frame as one buffer, or as its parts when the events are too long to be copied. */
export function encodeRequest(request: {
  readonly serial: number
  readonly name: MessageName
  readonly batch: EventBatch
  readonly handshake: Buffer | undefined
}): readonly Buffer[] {
  const { serial, name, batch, handshake = NO_OCTETS } = request
  const envelope = ENVELOPES[name]
  const count = name === 'append' ? NO_OCTETS : encodeCount(batch.size)
  const end = name === 'append' || batch.size === 0 ? NO_OCTETS : END_OF_ARRAY
  const events = batch.bytes
  const headLength = handshake.length + envelope.length
  const head = Buffer.allocUnsafe(HEADERS_BYTES + headLength + count.length)
  let at = head.writeInt32BE(serial, 0)
  at = head.writeInt32BE(2, at)
  at = head.writeInt32BE(headLength, at)
  at += handshake.copy(head, at)
  at += envelope.copy(head, at)
  at = head.writeInt32BE(count.length + events.length + end.length, at)
  count.copy(head, at)
  const parts = [head, events, end]
  return events.length > MAX_COPIED_BYTES ? parts : [Buffer.concat(parts)]
}

function encodeCount(count: number): Buffer {
  const encoded = Buffer.allocUnsafe(varintSize(count))
  writeVarint(encoded, 0, count)
  return encoded
}
