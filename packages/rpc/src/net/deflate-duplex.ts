import { Duplex } from 'node:stream'
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib'

export interface DeflateDuplexOptions {
  /** 0 to 9. Default 6. */
  readonly level?: number
}

/** Larger than zlib's 16 KiB: fewer chunks for a batch. */
const CHUNK_BYTES = 65_536

/**
 * Flume's `compression-type = deflate`: each direction of a connection is one zlib stream from its
 * first octet to its last. What is written in one turn ends with a sync flush, so that the peer sees
 * it at once; `end` writes the trailer. A peer that closes without a trailer is no error.
 */
export class DeflateDuplex extends Duplex {
  readonly #inner: Duplex
  readonly #deflate: Deflate
  readonly #inflate: Inflate

  constructor(inner: Duplex, options: DeflateDuplexOptions = {}) {
    super({ allowHalfOpen: true })
    this.#inner = inner
    this.#deflate = createDeflate({
      level: options.level ?? 6,
      flush: constants.Z_SYNC_FLUSH,
      chunkSize: CHUNK_BYTES,
    })
    this.#inflate = createInflate({ finishFlush: constants.Z_SYNC_FLUSH, chunkSize: CHUNK_BYTES })
    this.#connect()
  }

  #connect(): void {
    const fail = (error: Error) => this.destroy(error)
    this.#deflate.on('error', fail)
    this.#inflate.on('error', fail)
    this.#inner.on('error', fail)
    this.#inner.on('close', () => this.#innerClosed())
    this.#deflate.pipe(this.#inner)
    this.#inner.pipe(this.#inflate)
    this.#inflate.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) this.#inflate.pause()
    })
    this.#inflate.on('end', () => this.push(null))
    this.#inflate.pause()
  }

  override _read(): void {
    this.#inflate.resume()
  }

  override _write(chunk: Buffer, _: string, callback: (error?: Error | null) => void): void {
    this.#deflate.write(chunk, callback)
  }

  /** What was corked is one write: one flush for a frame of several parts. */
  override _writev(
    chunks: readonly { chunk: Buffer }[],
    callback: (error?: Error | null) => void,
  ): void {
    this.#deflate.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), callback)
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.#inner.destroyed) callback()
    else {
      this.#inner.once('finish', () => callback())
      this.#deflate.end()
    }
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#inner.unpipe(this.#inflate)
    this.#deflate.destroy()
    this.#inflate.destroy()
    this.#inner.destroy()
    callback(error)
  }

  /** All that came is still handed out: an abrupt close is the usual end of a Java peer's stream. */
  #innerClosed(): void {
    if (this.destroyed) return
    // Fails what waits to be written; nothing else will.
    this.#deflate.destroy()
    this.#inflate.end()
    if (this.readableEnded) this.destroy()
    else this.once('end', () => this.destroy())
  }
}
