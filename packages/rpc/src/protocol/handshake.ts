/**
 * The Avro handshake: once per TCP connection, in front of the first call.
 *
 *     request  := clientHash[16] clientProtocol serverHash[16] meta
 *     response := match serverProtocol serverHash meta
 *     clientProtocol, serverProtocol := 00 | 02 string
 *     serverHash of the response     := 00 | 02 octet[16]
 *     meta  := 00 | 02 map<bytes>
 *     match := 00 BOTH | 02 CLIENT | 04 NONE
 */
import { encodeString, EnvelopeReader } from './avro-primitives.js'
import { SOURCE_PROTOCOL_HASH, SOURCE_PROTOCOL_TEXT } from './source-protocol.js'

const HASH_BYTES = 16
export const MATCHES = ['BOTH', 'CLIENT', 'NONE'] as const
export type Match = (typeof MATCHES)[number]

export interface HandshakeRequest {
  readonly clientHash: Buffer
  readonly clientProtocol: string | undefined
  readonly serverHash: Buffer
}

export interface HandshakeResponse {
  readonly match: Match
  readonly serverProtocol: string | undefined
  readonly serverHash: Buffer | undefined
}

/** @throws AvroError when the bytes are no handshake. */
export function readHandshakeRequest(reader: EnvelopeReader): HandshakeRequest {
  const clientHash = Buffer.from(reader.readFixed(HASH_BYTES))
  const clientProtocol = reader.readIndex(2) === 1 ? reader.readString() : undefined
  const serverHash = Buffer.from(reader.readFixed(HASH_BYTES))
  skipMeta(reader)
  return { clientHash, clientProtocol, serverHash }
}

/** @throws AvroError when the bytes are no handshake. */
export function readHandshakeResponse(reader: EnvelopeReader): HandshakeResponse {
  const match = MATCHES[reader.readIndex(MATCHES.length)] as Match
  const serverProtocol = reader.readIndex(2) === 1 ? reader.readString() : undefined
  const serverHash =
    reader.readIndex(2) === 1 ? Buffer.from(reader.readFixed(HASH_BYTES)) : undefined
  skipMeta(reader)
  return { match, serverProtocol, serverHash }
}

function skipMeta(reader: EnvelopeReader): void {
  if (reader.readIndex(2) === 1) reader.skipBytesMap()
}

/**
 * What a client opens with. The protocol's text goes along only after the server answered NONE;
 * `serverHash` is the guess, or what the server said its hash is.
 */
export function encodeHandshakeRequest(options: {
  serverHash: Buffer
  withProtocol: boolean
}): Buffer {
  return Buffer.concat([
    SOURCE_PROTOCOL_HASH,
    options.withProtocol
      ? Buffer.concat([Buffer.of(2), encodeString(SOURCE_PROTOCOL_TEXT)])
      : Buffer.of(0),
    options.serverHash,
    // Java writes the map branch with an empty map; some servers know nothing else.
    Buffer.of(2, 0),
  ])
}

/** BOTH needs no text; CLIENT and NONE tell the server's protocol and hash. */
export function encodeHandshakeResponse(match: Match): Buffer {
  const tag = Buffer.of(MATCHES.indexOf(match) * 2)
  if (match === 'BOTH') return Buffer.concat([tag, Buffer.of(0, 0, 0)])
  return Buffer.concat([
    tag,
    Buffer.of(2),
    encodeString(SOURCE_PROTOCOL_TEXT),
    Buffer.of(2),
    SOURCE_PROTOCOL_HASH,
    Buffer.of(0),
  ])
}
