/** Which client of Flume's RPC an avro sink uses, and how it is made. */
import type { Problem } from '@millrace/component'
import { AvroRpcClient, type ClientTlsOptions, type RpcClient } from '@millrace/rpc'
import type { Clock, Logger, Random } from '@millrace/runtime'
import { readKeyStore, readTrustStore } from '../tls/pem-files.js'

export interface RpcClientFactory {
  /** Whom it connects to, for the log. */
  readonly target: string
  /** Makes a client and connects it. */
  connect(signal: AbortSignal): Promise<RpcClient>
}

/** The options of an avro sink that its client is made from. */
export interface RpcClientChoices {
  readonly hostname: string
  readonly port: number
  readonly clientType: string
  readonly hosts: readonly string[]
  readonly hostsByAlias: Readonly<Record<string, string>>
  readonly hostSelector: string
  readonly backoff: boolean
  readonly maxBackoffMs: number
  readonly maxAttempts: number | undefined
  readonly batchSize: number
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly compression: 'none' | 'deflate'
  readonly compressionLevel: number
  readonly ssl: boolean
  readonly trustAllCerts: boolean
  readonly truststore: string | undefined
  readonly keystore: string | undefined
  readonly keystorePassword: string | undefined
}

export interface RpcClientHost {
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
}

/** @param options as {@link clientProblems} found them good. */
export function rpcClientFactory(
  options: RpcClientChoices,
  { logger, clock }: RpcClientHost,
): RpcClientFactory {
  const { host, port } = hostsOf(options)[0] ?? { host: options.hostname, port: options.port }
  return {
    target: `${host}:${port}`,
    async connect(signal) {
      const tls = options.ssl ? await clientTls(options) : undefined
      const client = new AvroRpcClient({
        host,
        port,
        tls,
        logger,
        clock,
        batchSize: options.batchSize,
        connectTimeoutMs: options.connectTimeoutMs,
        requestTimeoutMs: options.requestTimeoutMs,
        compression: options.compression,
        compressionLevel: options.compressionLevel,
      })
      await client.connect({ signal })
      return client
    },
  }
}

/** Reads the files anew for each connection, so that renewed certificates are used. */
async function clientTls(options: RpcClientChoices): Promise<ClientTlsOptions> {
  const { truststore, keystore, keystorePassword, trustAllCerts } = options
  return {
    trustAll: trustAllCerts,
    ...(truststore === undefined ? {} : { ca: await readTrustStore(truststore) }),
    ...(keystore === undefined
      ? {}
      : await readKeyStore({ path: keystore, password: keystorePassword })),
  }
}

interface Host {
  readonly host: string
  readonly port: number
}

/** `host:port` with exactly one colon, as Flume's clients read it. */
function parseHost(text: string): Host | undefined {
  const match = /^([^:\s]+):(\d{1,5})$/.exec(text.trim())
  const port = Number(match?.[2])
  return match?.[1] !== undefined && port > 0 && port < 65_536
    ? { host: match[1], port }
    : undefined
}

/** The hosts of `hosts`; without them the one of hostname and port, which Flume names h1. */
function hostsOf(options: RpcClientChoices): readonly Host[] {
  const given: Readonly<Record<string, string>> = {
    h1: `${options.hostname}:${options.port}`,
    ...options.hostsByAlias,
  }
  return options.hosts.flatMap((alias) => parseHost(given[alias] ?? '') ?? [])
}

/** What is wrong with the choice of a client and its hosts. */
export function clientProblems(options: RpcClientChoices): readonly Problem[] {
  const { clientType, hosts, hostsByAlias } = options
  const problems: Problem[] = []
  if (clientType.toUpperCase() !== 'DEFAULT') {
    const message = `${clientType} is no client of this version`
    problems.push({ key: 'client.type', code: 'MILLRACE_CONFIG_UNSUPPORTED', message })
  }
  for (const alias of hosts) {
    const key = `hosts.${alias}`
    const text = hostsByAlias[alias]
    if (text === undefined && alias !== 'h1') {
      problems.push({ key, code: 'MILLRACE_CONFIG_MISSING', message: 'is named in hosts' })
    } else if (text !== undefined && !parseHost(text)) {
      problems.push({ key, message: `${text} is not host:port` })
    }
  }
  return problems
}
