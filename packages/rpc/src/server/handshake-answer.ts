import type { EnvelopeReader } from '../protocol/avro-primitives.js'
import { encodeHandshakeResponse, readHandshakeRequest } from '../protocol/handshake.js'
import type { RequestDecoder } from '../protocol/request-decoder.js'
import { errorPayload, errorText, NO_HANDSHAKE, TRUNCATED_TEXT } from '../protocol/response.js'
import { SOURCE_PROTOCOL_HASH } from '../protocol/source-protocol.js'
import type { KnownProtocols } from './known-protocols.js'
import { reply } from './reply-queue.js'

const BOTH = encodeHandshakeResponse('BOTH')
const CLIENT = encodeHandshakeResponse('CLIENT')
/** NONE is answered alone: the call behind it must not run, because the client sends it again. */
const NONE_REPLY: readonly Buffer[] = [encodeHandshakeResponse('NONE')]

export type HandshakeAnswer =
  | {
      /** The handshake succeeded: the call begins at `position`, and its answer at `handshake`. */
      readonly decoder: RequestDecoder
      readonly position: number
      readonly handshake: Buffer
    }
  | {
      readonly decoder?: undefined
      readonly buffers: readonly Buffer[]
      /** Why it failed; undefined for NONE, after which a client tries again. */
      readonly error?: unknown
    }

/**
 * Decides about the handshake in front of a call. The two hashes are looked at apart: a client that
 * met another server at our address has ours wrong and its own right.
 */
export function answerHandshake(
  protocols: KnownProtocols,
  reader: EnvelopeReader,
): HandshakeAnswer | Promise<HandshakeAnswer> {
  try {
    const request = readHandshakeRequest(reader)
    const { position } = reader
    const handshake = request.serverHash.equals(SOURCE_PROTOCOL_HASH) ? BOTH : CLIENT
    const known = protocols.get(request.clientHash)
    if (known) return { decoder: known, position, handshake }
    if (request.clientProtocol === undefined) return { buffers: NONE_REPLY }
    const learned = protocols.learn(request.clientHash, request.clientProtocol)
    if (!(learned instanceof Promise)) return { decoder: learned, position, handshake }
    return learned.then(
      (decoder) => ({ decoder, position, handshake }),
      (error: unknown) => refused(errorText(error), error),
    )
  } catch (error) {
    // As Java: what is no handshake gets an error behind an empty one.
    return refused(TRUNCATED_TEXT, error)
  }
}

const refused = (text: string, error: unknown): HandshakeAnswer => ({
  buffers: reply(NO_HANDSHAKE, errorPayload(text)),
  error,
})
