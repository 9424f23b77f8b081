/**
 * The layers between a TCP socket and the frames: TLS, zlib, both, or none. Nothing is asked of a
 * peer that is silent: TLS begins, with its time limit, when the first octet comes.
 */
import { DeflateDuplex } from '../net/deflate-duplex.js'
import { commonTlsOptions, type ServerTlsOptions } from '../net/tls-options.js'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer, type Server as TlsServer, type TLSSocket } from 'node:tls'

export interface TransportOptions {
  readonly tls: ServerTlsOptions | undefined
  readonly compression: 'none' | 'deflate'
  readonly handshakeTimeoutMs: number
}

export interface TransportEvents {
  /** The frames' stream is there. */
  opened(stream: Duplex): void
  /** It will never be; the socket is closed. */
  failed(error: Error): void
}

/** The first octet of a zlib stream with a window of 32 KiB. A TLS record of a handshake begins with 16. */
const ZLIB_FIRST_OCTET = 0x78

/** Opens the layers over accepted sockets. */
export class Transport {
  readonly #options: TransportOptions
  #tls: ServerTlsOptions | undefined
  readonly #tlsServer: TlsServer | undefined
  readonly #handshakes = new Map<string, TransportEvents>()

  /** @throws Error of Node when key or certificate cannot be used. */
  constructor(options: TransportOptions) {
    this.#options = options
    this.#tls = options.tls
    if (options.tls) this.#tlsServer = this.#createTlsServer(options.tls)
  }

  /** For the connections to come. @throws Error of Node when key or certificate cannot be used. */
  renewTls(tls: ServerTlsOptions): void {
    this.#tlsServer?.setSecureContext(this.#serverOptions(tls))
    this.#tls = tls
  }

  open(socket: Socket, events: TransportEvents): void {
    const { compression } = this.#options
    const tls = this.#tls
    if (!tls) {
      events.opened(compression === 'deflate' ? new DeflateDuplex(socket) : socket)
      return
    }
    const onEarlyEnd = () => socket.destroy()
    socket.once('end', onEarlyEnd)
    socket.once('data', (chunk: Buffer) => {
      socket.off('end', onEarlyEnd)
      socket.pause()
      socket.unshift(chunk)
      if (compression === 'none') this.#openTls(socket, events)
      else if (chunk[0] === ZLIB_FIRST_OCTET) this.#openTlsInZlib(socket, tls, events)
      else {
        const opened = (stream: Duplex) => events.opened(new DeflateDuplex(stream))
        this.#openTls(socket, { ...events, opened })
      }
    })
  }

  #openTls(socket: Socket, events: TransportEvents): void {
    const key = keyOf(socket)
    this.#handshakes.set(key, events)
    socket.once('close', () => {
      if (this.#handshakes.delete(key)) events.failed(new Error(this.#untoldEnd()))
    })
    socket.allowHalfOpen = false
    this.#tlsServer?.emit('connection', socket)
  }

  /** Node does not say why it ends a connection whose certificate it does not trust. */
  #untoldEnd(): string {
    return this.#tls?.clientAuth === 'need'
      ? 'the TLS handshake ended: its certificate is not trusted, or it went away'
      : 'it went away during the TLS handshake'
  }

  /** A TLS socket over another stream does not say whose it is, so this rare order has a server for itself. */
  #openTlsInZlib(socket: Socket, tls: ServerTlsOptions, events: TransportEvents): void {
    const duplex = new DeflateDuplex(socket)
    duplex.allowHalfOpen = false
    const server = createServer(this.#serverOptions(tls))
    server.once('secureConnection', (stream) => {
      duplex.allowHalfOpen = true
      events.opened(halfOpen(stream))
    })
    server.once('tlsClientError', (error) => {
      events.failed(readable(error))
      socket.destroy()
    })
    duplex.on('error', (error) => events.failed(error))
    server.emit('connection', duplex)
  }

  #createTlsServer(tls: ServerTlsOptions): TlsServer {
    const server = createServer(this.#serverOptions(tls))
    const take = (stream: TLSSocket) => {
      const key = keyOf(stream)
      const events = this.#handshakes.get(key)
      this.#handshakes.delete(key)
      return events
    }
    server.on('secureConnection', (stream) => {
      const events = take(stream)
      if (events) events.opened(halfOpen(stream))
      // It was reset right behind its handshake, and has no address any more.
      else stream.destroy()
    })
    server.on('tlsClientError', (error, stream) => {
      take(stream)?.failed(readable(error))
      stream.destroy()
    })
    return server
  }

  #serverOptions(tls: ServerTlsOptions) {
    return {
      ...commonTlsOptions(tls),
      requestCert: tls.clientAuth === 'want' || tls.clientAuth === 'need',
      rejectUnauthorized: tls.clientAuth === 'need',
      handshakeTimeout: this.#options.handshakeTimeoutMs,
    }
  }
}

/**
 * A peer that sends no more during the handshake will never end it: the TLS socket then closes by itself.
 * Later a peer that sends no more still gets the answers that it is owed.
 */
function halfOpen(stream: TLSSocket): TLSSocket {
  stream.allowHalfOpen = true
  return stream
}

const keyOf = (socket: Socket) => `${socket.remoteAddress}:${socket.remotePort}`

/** What Netty 3.10 answers to a TLS 1.3 handshake that it reads in one piece: it has lost all but the first record. */
const BAD_RECORD = /bad record mac/
const OLD_CLIENT = ' (clients of Flume 1.7 to 1.9 need TLS 1.2: exclude TLSv1.3)'

/** OpenSSL's errors are a line of numbers, functions and files with the reason in the middle. */
function readable(error: Error): Error {
  const reason: unknown = Reflect.get(error, 'reason')
  if (typeof reason !== 'string') return error
  const hint = BAD_RECORD.test(reason) ? OLD_CLIENT : ''
  return Object.assign(new Error(`TLS: ${reason}${hint}`), { code: Reflect.get(error, 'code') })
}
