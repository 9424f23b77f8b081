import type { IncomingMessage } from 'node:http'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { Readable } from 'node:stream'
import { RequestError } from '@millrace/runtime'

/** A request that is answered with another status than 400, before its handler sees it. */
export class RequestRefused extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'RequestRefused'
    this.status = status
  }
}

/** Memory of the requests under way, all together. */
export class RequestMemory {
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** @throws RequestRefused 503 when there is not so much left. */
  take(bytes: number): void {
    if (this.#bytes + bytes > this.#maxBytes) {
      throw new RequestRefused(503, 'Too many bytes are under way.')
    }
    this.#bytes += bytes
  }

  give(bytes: number): void {
    this.#bytes -= bytes
  }
}

/**
 * Reads a body, unpacked where `content-encoding` says that it is packed.
 * @returns the bytes, and how much of the memory they have.
 * @throws RequestRefused 413 for more than `maxBytes`, packed or not; 415 for an unknown encoding.
 */
export async function readBody(
  request: IncomingMessage,
  memory: RequestMemory,
  maxBytes: number,
): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > maxBytes) throw tooLarge(maxBytes)
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of unpacked(request) as AsyncIterable<Buffer>) {
      if (length + chunk.length > maxBytes) throw tooLarge(maxBytes)
      memory.take(chunk.length)
      length += chunk.length
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  } catch (error) {
    memory.give(length)
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
    if (typeof code === 'string' && /^(Z_|ERR_BROTLI)/.test(code)) {
      throw new RequestError('The body cannot be unpacked', { cause: error })
    }
    throw error
  }
}

function unpacked(request: IncomingMessage): Readable {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (encoding === 'identity' || encoding === '') return request
  const unpack = {
    gzip: createGunzip,
    'x-gzip': createGunzip,
    deflate: createInflate,
    br: createBrotliDecompress,
  }[encoding]
  if (!unpack) throw new RequestRefused(415, `The encoding ${encoding} is not known.`)
  const stream = unpack()
  request.once('error', (error) => stream.destroy(error))
  return request.pipe(stream)
}

function tooLarge(maxBytes: number): RequestRefused {
  return new RequestRefused(413, `The body has more than ${maxBytes} bytes.`)
}
