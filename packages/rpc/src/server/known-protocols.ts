import { decoderFor } from '../protocol/foreign-protocol.js'
import { type RequestDecoder, scanningDecoder } from '../protocol/request-decoder.js'
import { FLUME_1_2_PROTOCOL_HASH, SOURCE_PROTOCOL_HASH } from '../protocol/source-protocol.js'

/** Protocols of foreign peers that are remembered; the oldest goes. */
const MAX_REMEMBERED = 64

/** The client protocols of a server, by their hash. As in Java, a hash is not checked against its text. */
export class KnownProtocols {
  readonly #own = new Map<string, RequestDecoder>()
  readonly #learned = new Map<string, RequestDecoder>()

  constructor() {
    this.#own.set(keyOf(SOURCE_PROTOCOL_HASH), scanningDecoder)
    this.#own.set(keyOf(FLUME_1_2_PROTOCOL_HASH), scanningDecoder)
  }

  get(hash: Buffer): RequestDecoder | undefined {
    const key = keyOf(hash)
    return this.#own.get(key) ?? this.#learned.get(key)
  }

  /**
   * Reads a client's protocol and remembers it. A promise only when its schema must be resolved.
   * @throws AvroError when it is no protocol.
   */
  learn(hash: Buffer, text: string): RequestDecoder | Promise<RequestDecoder> {
    const decoder = decoderFor(text)
    if (decoder instanceof Promise) return decoder.then((late) => this.#remember(hash, late))
    return this.#remember(hash, decoder)
  }

  #remember(hash: Buffer, decoder: RequestDecoder): RequestDecoder {
    const [oldest] = this.#learned.keys()
    if (this.#learned.size >= MAX_REMEMBERED && oldest !== undefined) this.#learned.delete(oldest)
    this.#learned.set(keyOf(hash), decoder)
    return decoder
  }
}

const keyOf = (hash: Buffer) => hash.toString('latin1')
