import type { EventBatch } from '@millrace/event'
import { AvroRpcConnection, type ClientTlsOptions } from '@millrace/rpc'
import type { Clock } from '@millrace/runtime'
import type { AppenderTlsOptions } from '../options/appender-options.js'
import { nodePem } from '../options/tls-option.js'
import type { ConnectReceiver, ReceiverConnection } from './receiver-connection.js'

export interface AvroReceiverOptions {
  readonly tls: AppenderTlsOptions | undefined
  readonly compression: 'none' | 'deflate'
  readonly tlsDeflateOrder: 'v1.10' | 'v1.9'
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly clock: Clock
}

/** Connects to receivers with Flume's Avro RPC. Neither sockets nor timers keep the process alive. */
export function connectAvroReceiver(options: AvroReceiverOptions): ConnectReceiver {
  const { compression, connectTimeoutMs, requestTimeoutMs, clock } = options
  const tls = tlsOf(options)
  return async ({ host, port }, { signal }) => {
    const connection = new AvroRpcConnection({
      host,
      port,
      compression,
      clock,
      ref: false,
      ...(tls === undefined ? {} : { tls }),
    })
    await connection.connect({ timeoutMs: connectTimeoutMs, signal })
    return new AvroReceiver(connection, requestTimeoutMs)
  }
}

class AvroReceiver implements ReceiverConnection {
  readonly #connection: AvroRpcConnection
  readonly #timeoutMs: number

  constructor(connection: AvroRpcConnection, timeoutMs: number) {
    this.#connection = connection
    this.#timeoutMs = timeoutMs
  }

  get isActive(): boolean {
    return this.#connection.isOpen
  }

  appendBatch(batch: EventBatch): Promise<void> {
    return this.#connection.call('appendBatch', batch, { timeoutMs: this.#timeoutMs })
  }

  close(): Promise<void> {
    return this.#connection.close()
  }
}

function tlsOf({ tls, tlsDeflateOrder }: AvroReceiverOptions): ClientTlsOptions | undefined {
  if (tls === undefined) return undefined
  const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized, ...versions } = tls
  const { minVersion, maxVersion, ciphers } = versions
  return {
    outermost: tlsDeflateOrder === 'v1.9' ? 'tls' : 'zlib',
    ...(ca === undefined ? {} : { ca: isList(ca) ? ca.map(nodePem) : nodePem(ca) }),
    ...(cert === undefined ? {} : { cert: nodePem(cert) }),
    ...(key === undefined ? {} : { key: nodePem(key) }),
    ...(pfx === undefined ? {} : { pfx: Buffer.from(pfx) }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === false ? { trustAll: true, checkHostname: false } : {}),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(ciphers === undefined ? {} : { ciphers }),
  }
}

type Pem = string | Uint8Array

function isList(value: Pem | readonly Pem[]): value is readonly Pem[] {
  return Array.isArray(value)
}
