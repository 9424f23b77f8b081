/** Frames of Flume's Avro RPC as a client sends them, built without the code under test. */
import type { EventBatch } from '@millrace/event'

/** MD5 of Flume's protocol: what a Java client names as its own and expects of the server. */
const PROTOCOL_HASH = Buffer.from('86aadae2c45474c0fe93ffd0f2350a65', 'hex')

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value * 2
  while (rest > 127) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  return Buffer.from([...bytes, rest])
}

function frame(serial: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(12)
  head.writeInt32BE(serial, 0)
  head.writeInt32BE(1, 4)
  head.writeInt32BE(payload.length, 8)
  return Buffer.concat([head, payload])
}

function call(batch: EventBatch): Buffer {
  const name = Buffer.from('appendBatch')
  return Buffer.concat([
    Buffer.from([0]),
    varint(name.length),
    name,
    varint(batch.size),
    batch.bytes,
    Buffer.from(batch.size > 0 ? [0] : []),
  ])
}

/** An `appendBatch` call with the handshake of a new connection in front. */
export function firstFrame(batch: EventBatch, serial = 1): Buffer {
  const handshake = [PROTOCOL_HASH, Buffer.from([0]), PROTOCOL_HASH, Buffer.from([2, 0])]
  return frame(serial, Buffer.concat([...handshake, call(batch)]))
}

/** An `appendBatch` call on a connection that has shaken hands. */
export function laterFrame(batch: EventBatch, serial: number): Buffer {
  return frame(serial, call(batch))
}
