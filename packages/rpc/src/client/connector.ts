import { DeflateDuplex } from '../net/deflate-duplex.js'
import { applyKeepAlive, type KeepAliveOptions } from '../net/keep-alive.js'
import { type ClientTlsOptions, commonTlsOptions } from '../net/tls-options.js'
import { type Logger, messageOf, RpcError } from '@millrace/runtime'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'

/** How to reach an agent. */
export interface ConnectionOptions {
  readonly host: string
  readonly port: number
  readonly tls?: ClientTlsOptions | undefined
  /** Must be the same at both ends. Default none. */
  readonly compression?: 'none' | 'deflate' | undefined
  /** 0 to 9. Default 6. */
  readonly compressionLevel?: number | undefined
  /** Default: Node's own probes after a minute of silence. */
  readonly keepAlive?: KeepAliveOptions | false | undefined
  /** False: connection and timers do not keep the process alive. Default true. */
  readonly ref?: boolean | undefined
}

export interface OpenedConnection {
  readonly socket: Socket
  /** The frames' stream, above TLS and zlib. */
  readonly stream: Duplex
}

/** A connection on its way; `cancel` closes it and rejects the promise. */
export interface Connecting {
  readonly opened: Promise<OpenedConnection>
  cancel(reason: Error): void
}

/** Opens TCP and the layers above it. Every failure is an RpcError `MILLRACE_RPC_CONNECT`. */
export function openConnection(options: ConnectionOptions, logger: Logger): Connecting {
  const { host, port } = options
  const socket = connectTcp({ host, port, noDelay: true })
  if (options.ref === false) socket.unref()
  let giveUp: (reason: Error) => void = () => {}
  const opened = new Promise<OpenedConnection>((resolve, reject) => {
    const fail = (cause: Error) => {
      socket.destroy()
      const text = `Cannot connect to ${host}:${port}: ${textOf(cause)}`
      reject(new RpcError('MILLRACE_RPC_CONNECT', text, { cause }))
    }
    giveUp = (reason) => {
      socket.destroy()
      reject(reason)
    }
    socket.once('error', fail)
    socket.once('close', () => fail(new Error('The peer closed the connection')))
    socket.once('connect', () => {
      if (options.keepAlive !== false) {
        void applyKeepAlive(socket, options.keepAlive ?? {}, { logger })
      }
      openLayers(socket, options, fail).then((stream) => resolve({ socket, stream }), fail)
    })
  })
  return { opened, cancel: (reason) => giveUp(reason) }
}

/** Both layers can be on in either order; see {@link ClientTlsOptions.outermost}. */
async function openLayers(
  socket: Socket,
  options: ConnectionOptions,
  fail: (error: Error) => void,
): Promise<Duplex> {
  const { tls, compression = 'none', compressionLevel = 6 } = options
  const deflate = (inner: Duplex) => new DeflateDuplex(inner, { level: compressionLevel })
  if (!tls) return compression === 'deflate' ? deflate(socket) : socket
  if (compression === 'none') return openTls(socket, options, fail)
  if (tls.outermost === 'tls') return deflate(await openTls(socket, options, fail))
  return openTls(deflate(socket), options, fail)
}

function openTls(
  inner: Duplex,
  { host, tls = {} }: ConnectionOptions,
  fail: (error: Error) => void,
): Promise<Duplex> {
  const servername = tls.servername ?? (isIP(host) === 0 ? host : undefined)
  return new Promise((resolve) => {
    const stream = connectTls({
      ...commonTlsOptions(tls),
      socket: inner,
      host,
      ...(servername === undefined ? {} : { servername }),
      rejectUnauthorized: tls.trustAll !== true,
      ...(tls.checkHostname === false ? { checkServerIdentity: () => undefined } : {}),
    })
    // An error below ends what is above; while it is being opened, that is the failure.
    inner.on('error', (error) => stream.destroy(error))
    // For good: what stands behind the handshake in one chunk can be wrong before anybody else listens.
    stream.on('error', fail)
    stream.once('secureConnect', () => resolve(stream))
  })
}

/** Node collects the attempts at a name's several addresses in an error without a text of its own. */
function textOf(error: Error): string {
  const attempts: readonly unknown[] = error instanceof AggregateError ? error.errors : []
  return attempts.length > 0 ? attempts.map(messageOf).join(', ') : messageOf(error)
}
