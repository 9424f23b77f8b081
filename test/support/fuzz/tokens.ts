/**
 * Frames as the fields that they are made of, so that a mutation changes one field and everything
 * around it stays what a peer would send.
 */
import { FrameReader } from '@millrace/rpc/internal/framing/frame-reader'

/** A long of Avro, or octets as they are. */
export type Token = bigint | Buffer

export interface FuzzFrame {
  readonly serial: number
  readonly buffers: readonly (readonly Token[])[]
  /** What the frame claims, where that is not what it has. */
  readonly claims?: { readonly count?: number; readonly length?: number }
}

/** Zigzag and seven bits in an octet; values of 64 bits. */
export function varint(value: bigint): Buffer {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const octets: number[] = []
  for (; rest > 127n; rest >>= 7n) octets.push(Number(rest & 127n) | 128)
  octets.push(Number(rest))
  return Buffer.from(octets)
}

export const octetsOf = (tokens: readonly Token[]) =>
  Buffer.concat(tokens.map((token) => (typeof token === 'bigint' ? varint(token) : token)))

const int32 = (value: number) => {
  const octets = Buffer.alloc(4)
  octets.writeInt32BE(value | 0)
  return octets
}

export function encodeFuzzFrame({ serial, buffers, claims = {} }: FuzzFrame): Buffer {
  const parts = buffers.map(octetsOf)
  const { count = parts.length, length } = claims
  return Buffer.concat([
    int32(serial),
    int32(count),
    ...parts.flatMap((part, i) => [
      int32(i === parts.length - 1 ? (length ?? part.length) : part.length),
      part,
    ]),
  ])
}

/** Avro's bytes and string. */
export const sized = (octets: Buffer | string): Token[] => {
  const value = Buffer.from(octets)
  return [BigInt(value.length), value]
}

/** Reads fields from octets that may be anything; what cannot be read stays as octets. */
class Fields {
  readonly tokens: Token[] = []
  #rest: Buffer

  constructor(octets: Buffer) {
    this.#rest = octets
  }

  get isAtEnd(): boolean {
    return this.#rest.length === 0
  }

  octets(length: number): Buffer {
    const taken = this.#rest.subarray(0, length)
    if (taken.length < length) throw new RangeError('no more octets')
    this.#rest = this.#rest.subarray(length)
    this.tokens.push(taken)
    return taken
  }

  long(): number {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const [octet] = this.#rest
      if (octet === undefined || shift > 63n) throw new RangeError('no long')
      this.#rest = this.#rest.subarray(1)
      value |= BigInt(octet & 127) << shift
      if (octet < 128) break
    }
    const long = BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
    this.tokens.push(long)
    return Number(long)
  }

  bytes(): Buffer {
    return this.octets(this.long())
  }

  /** Blocks of a map or an array. */
  blocks(item: () => void): void {
    for (let count = this.long(); count !== 0; count = this.long()) {
      if (count < 0) this.long()
      for (let i = Math.abs(count); i > 0; i -= 1) item()
    }
  }

  map(): void {
    this.blocks(() => {
      this.bytes()
      this.bytes()
    })
  }

  event(): void {
    this.map()
    this.bytes()
  }

  rest(): readonly Token[] {
    if (this.#rest.length > 0) this.tokens.push(this.#rest)
    return this.tokens
  }
}

function fieldsOf(octets: Buffer, read: (fields: Fields) => void): readonly Token[] {
  const fields = new Fields(octets)
  try {
    read(fields)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  return fields.rest()
}

function readCall(fields: Fields): void {
  fields.map()
  const name = fields.bytes().toString()
  if (name === 'append') fields.event()
  if (name === 'appendBatch') fields.blocks(() => fields.event())
}

/** The fields of a request: of the first on its connection with the handshake. */
export function requestTokens(message: Buffer, isFirst: boolean): readonly Token[] {
  return fieldsOf(message, (fields) => {
    if (isFirst) {
      fields.octets(16)
      if (fields.long() === 1) fields.bytes()
      fields.octets(16)
      if (fields.long() === 1) fields.map()
    }
    readCall(fields)
  })
}

/** The fields of an answer. */
export function answerTokens(message: Buffer, isFirst: boolean): readonly Token[] {
  return fieldsOf(message, (fields) => {
    if (isFirst) {
      fields.long()
      if (fields.long() === 1) fields.bytes()
      if (fields.long() === 1) fields.octets(16)
      if (fields.long() === 1) fields.map()
    }
    fields.map()
    if (fields.octets(1)[0] === 0) fields.long()
    else if (fields.long() === 0) fields.bytes()
  })
}

/** The frames of a stream that is whole. */
export function framesOf(
  stream: Buffer,
  tokensOf: (message: Buffer, isFirst: boolean) => readonly Token[],
): FuzzFrame[] {
  const reader = new FrameReader({ maxFrameBytes: 2 ** 24, maxBuffersPerFrame: 1_000 })
  const frames: FuzzFrame[] = []
  reader.push(Buffer.from(stream))
  while (reader.next()) {
    const message = Buffer.from(reader.bytes.subarray(reader.start, reader.end))
    frames.push({ serial: reader.serial, buffers: [tokensOf(message, frames.length === 0)] })
  }
  return frames
}

/** What an answer says, read as leniently as can be. */
export type Meaning = 'ok' | 'other' | 'none' | 'broken'

function meaningOf(message: Buffer, isFirst: boolean): Meaning {
  const fields = new Fields(message)
  try {
    if (isFirst) {
      const match = fields.long()
      if (fields.long() === 1) fields.bytes()
      if (fields.long() === 1) fields.octets(16)
      if (fields.long() === 1) fields.map()
      if (match === 2) return 'none'
    }
    fields.map()
    if (fields.octets(1)[0] !== 0) return 'other'
    return fields.long() === 0 ? 'ok' : 'other'
  } catch (error) {
    if (error instanceof RangeError) return 'broken'
    throw error
  }
}

/**
 * Which serials a stream of answers says OK to, up to where it breaks, and whether it asked for the
 * handshake again. Written apart from the clients, as their judge.
 */
export function acknowledgedIn(stream: Buffer): { oks: Set<number>; isRepeated: boolean } {
  const oks = new Set<number>()
  let isRepeated = false
  let isFirst = true
  for (let at = 0; at + 8 <= stream.length; ) {
    const serial = stream.readInt32BE(at)
    const count = stream.readInt32BE(at + 4)
    at += 8
    const parts: Buffer[] = []
    for (let i = 0; i < count; i += 1) {
      const length = at + 4 <= stream.length ? stream.readInt32BE(at) : -1
      if (length < 0 || at + 4 + length > stream.length) return { oks, isRepeated }
      parts.push(stream.subarray(at + 4, at + 4 + length))
      at += 4 + length
    }
    const meaning = meaningOf(Buffer.concat(parts), isFirst)
    if (count < 1 || meaning === 'broken' || (meaning === 'none' && isRepeated)) break
    if (meaning === 'none') isRepeated = true
    else isFirst = false
    if (meaning === 'ok') oks.add(serial)
  }
  return { oks, isRepeated }
}
