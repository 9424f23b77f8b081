/** Which client of Flume's RPC an avro sink uses, and how it is made. */
import type { Problem } from '@millrace/component'
import {
  AvroRpcClient,
  type ClientTlsOptions,
  FailoverRpcClient,
  formatHostAddress,
  type HostAddress,
  LoadBalancingRpcClient,
  parseHostAddress,
  type RpcClient,
} from '@millrace/rpc'
import { type Clock, type Logger, messageOf, type Random } from '@millrace/runtime'
import { ClientTls, type ClientTlsSettings } from '../tls/tls-files.js'

export interface RpcClientFactory {
  /** Whom it connects to, for the log. */
  readonly target: string
  /** Makes a client and connects it. */
  connect(signal: AbortSignal): Promise<RpcClient>
}

/** The options of an avro sink that its client is made from. */
export interface RpcClientChoices extends ClientTlsSettings {
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
}

export interface RpcClientHost {
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
}

/** @param options as {@link clientProblems} found them good. */
export function rpcClientFactory(options: RpcClientChoices, host: RpcClientHost): RpcClientFactory {
  const all = hostsOf(options)
  const hosts = clientFlavour(options.clientType) === 'single' ? all.slice(0, 1) : all
  const tls = options.ssl ? new ClientTls(options) : undefined
  return {
    target: hosts.map(formatHostAddress).join(', '),
    async connect(signal) {
      const client = createClient(options, hosts, { ...host, tls: await tls?.read() })
      // Clients of several hosts connect as their calls come.
      if (client instanceof AvroRpcClient) await client.connect({ signal })
      return client
    },
  }
}

function createClient(
  options: RpcClientChoices,
  hosts: readonly HostAddress[],
  host: RpcClientHost & { readonly tls: ClientTlsOptions | undefined },
): RpcClient {
  const shared = {
    ...host,
    hosts,
    batchSize: options.batchSize,
    connectTimeoutMs: options.connectTimeoutMs,
    requestTimeoutMs: options.requestTimeoutMs,
    compression: options.compression,
    compressionLevel: options.compressionLevel,
  }
  switch (clientFlavour(options.clientType)) {
    case 'failover':
      return new FailoverRpcClient({ ...shared, maxAttempts: options.maxAttempts })
    case 'load balancing': {
      const { backoff, maxBackoffMs } = options
      const hostSelector = hostSelectorOf(options.hostSelector)
      return new LoadBalancingRpcClient({ ...shared, hostSelector, backoff, maxBackoffMs })
    }
    default: {
      const [address = { host: options.hostname, port: options.port }] = hosts
      return new AvroRpcClient({ ...shared, ...address })
    }
  }
}

const FLUME_API = 'org.apache.flume.api.'
/** What Flume's `client.type` may be, with its class names. */
const CLIENT_FLAVOURS = {
  DEFAULT: 'single',
  DEFAULT_FAILOVER: 'failover',
  DEFAULT_LOADBALANCE: 'load balancing',
  [`${FLUME_API}NettyAvroRpcClient`]: 'single',
  [`${FLUME_API}FailoverRpcClient`]: 'failover',
  [`${FLUME_API}LoadBalancingRpcClient`]: 'load balancing',
} as const

type ClientFlavour = (typeof CLIENT_FLAVOURS)[keyof typeof CLIENT_FLAVOURS]

function clientFlavour(type: string): ClientFlavour | undefined {
  const flavours: Readonly<Record<string, ClientFlavour>> = CLIENT_FLAVOURS
  return flavours[type] ?? flavours[type.toUpperCase()]
}

function hostSelectorOf(name: string): 'round_robin' | 'random' | undefined {
  const selectors = ['round_robin', 'random'] as const
  return selectors.find((selector) => selector === name.toLowerCase())
}

/** The hosts of `hosts`, where `h1` stands for hostname and port when it has no address of its own. */
function hostsOf(options: RpcClientChoices): readonly HostAddress[] {
  const { hosts, hostsByAlias, hostname, port } = options
  return hosts.flatMap((alias) => {
    const text = hostsByAlias[alias]
    if (text !== undefined) return parseHostAddress(text)
    return alias === 'h1' ? { host: hostname, port } : []
  })
}

/** What is wrong with the choice of a client and its hosts. */
export function clientProblems(options: RpcClientChoices): readonly Problem[] {
  const { clientType, hosts, hostsByAlias } = options
  const flavour = clientFlavour(clientType)
  const problems: Problem[] = []
  const unsupported = (key: string, message: string) =>
    problems.push({ key, code: 'MILLRACE_CONFIG_UNSUPPORTED', message })
  if (flavour === undefined) unsupported('client.type', `${clientType} is not supported`)
  if (hostSelectorOf(options.hostSelector) === undefined) {
    unsupported('host-selector', `${options.hostSelector} is neither ROUND_ROBIN nor RANDOM`)
  }
  if (flavour === 'single' && hosts.length > 1) {
    const message = `client.type = ${clientType} uses only the first host`
    problems.push({ key: 'hosts', code: 'MILLRACE_CONFIG_NO_EFFECT', severity: 'warning', message })
  }
  if (flavour === 'load balancing' && hosts.length < 2) {
    problems.push({ key: 'hosts', message: 'needs two hosts with this client.type' })
  }
  for (const alias of hosts) {
    const key = `hosts.${alias}`
    const text = hostsByAlias[alias]
    if (text !== undefined) {
      try {
        parseHostAddress(text)
      } catch (error) {
        problems.push({ key, message: messageOf(error) })
      }
    } else if (alias !== 'h1') {
      problems.push({ key, code: 'MILLRACE_CONFIG_MISSING', message: 'is missing, hosts names it' })
    }
  }
  return problems
}
