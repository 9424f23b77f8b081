/** Frames as Java's Flume 1.11 writes them. */
import { SOURCE_PROTOCOL_TEXT } from '@millrace/rpc/internal/protocol/source-protocol'

export const hex = (...parts: readonly string[]) =>
  Buffer.from(parts.join('').replaceAll(/\s/g, ''), 'hex')

export const HASH = '86aadae2c45474c0fe93ffd0f2350a65'
export const FLUME_1_2_HASH = '9149bd5d5fd2aa158af87736b72f2694'
export const PROTOCOL = Buffer.from(SOURCE_PROTOCOL_TEXT).toString('hex')

/** HandshakeRequest with the map branch and an empty map as metadata. */
export const handshake = (clientHash = HASH, serverHash = HASH, protocol?: string) =>
  `${clientHash} ${protocol === undefined ? '00' : `02 ${text(protocol)}`} ${serverHash} 0200`

/** An Avro string. */
export function text(value: string): string {
  const bytes = Buffer.from(value)
  const length: number[] = []
  let rest = bytes.length * 2
  for (; rest > 127; rest = Math.floor(rest / 128)) length.push((rest % 128) | 128)
  length.push(rest)
  return Buffer.concat([Buffer.from(length), bytes]).toString('hex')
}

/** A frame of buffers given in hex. */
export function frame(serial: number, ...buffers: readonly string[]): Buffer {
  const parts = buffers.map((buffer) => hex(buffer))
  const head = Buffer.alloc(8)
  head.writeInt32BE(serial, 0)
  head.writeInt32BE(parts.length, 4)
  return Buffer.concat([
    head,
    ...parts.flatMap((part) => {
      const length = Buffer.alloc(4)
      length.writeInt32BE(part.length)
      return [length, part]
    }),
  ])
}

/** `append` of {k: v} / "hello" on a fresh connection: 71 octets. */
export const FIRST_APPEND = hex(
  '00000001 00000002 0000002b',
  `${HASH} 00 ${HASH} 0200 00 0c617070656e64`,
  '0000000c 02026b027600 0a68656c6c6f',
)
/** Its answer, BOTH and OK: 27 octets. */
export const FIRST_OK = hex('00000001 00000003 00000004 00000000 00000001 00 00000002 0000')

/** `appendBatch` of [{}/"a", {k: v}/"b"] as the second call: 42 octets. */
export const SECOND_BATCH = hex(
  '00000002 00000002 0000000d 00 16617070656e644261746368',
  '0000000d 04 000261 02026b0276000262 00',
)
/** Its answer: 23 octets. */
export const SECOND_OK = hex('00000002 00000003 00000000 00000001 00 00000002 0000')
export const SECOND_FAILED = hex('00000002 00000003 00000000 00000001 00 00000002 0002')
export const SECOND_UNKNOWN = hex('00000002 00000003 00000000 00000001 00 00000002 0004')
/** The system error that Java answers to a payload that is too short. */
export const SECOND_EOF = hex(
  '00000002 00000003 00000000 00000001 00 00000017 01 00 28 6a6176612e696f2e454f46457863657074696f6e',
)

/** NONE with Flume's protocol: 1,356 octets without the serial. */
export const noneAnswer = (serial: number) => frame(serial, `04 02 ec14 ${PROTOCOL} 02 ${HASH} 00`)
/** CLIENT with Flume's protocol, and OK. */
export const clientAnswer = (serial: number) =>
  frame(serial, `02 02 ec14 ${PROTOCOL} 02 ${HASH} 00`, '00', '0000')

/** A system error on an established connection. */
export const errorAnswer = (serial: number, message: string) =>
  frame(serial, '', '00', `01 00 ${text(message)}`)

/** The same two calls and a close, deflated by Flume 1.11's client, and what its source answers. */
export const DEFLATED = {
  firstCall: hex(
    '789c62606060646060600262edb655b71e1d092939f06ff2ff0b9f4cb95219d00580aa78120b0a52f35280ca7998',
    '98b299ca18b832527372f201000000ffff',
  ),
  firstAnswer: hex('789c6260606064606060066216060800f11998181800000000ffff'),
  secondCall: hex('821a01c2bc0c6210354e8925c91920011606a6448862a6240600000000ffff'),
  secondAnswer: hex('8292cc68c200000000ffff'),
  close: hex('0300816a2062'),
} as const
