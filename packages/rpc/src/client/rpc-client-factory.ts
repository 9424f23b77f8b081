/**
 * Flume's RpcClientFactory: a client from Flume's property names, with its defaults and its leniency:
 * a batch size or a time limit that makes no sense is replaced by the default, and said in the log.
 */
import { readKeyStore, readTrustStore } from '../net/pem-store.js'
import type { ClientTlsOptions } from '../net/tls-options.js'
import {
  AvroRpcClient,
  type AvroRpcClientOptions,
  DEFAULT_BATCH_SIZE,
  DEFAULT_TIMEOUT_MS,
} from './avro-rpc-client.js'
import { FailoverRpcClient } from './failover-rpc-client.js'
import { parseHosts } from './host-list.js'
import { LoadBalancingRpcClient } from './load-balancing-rpc-client.js'
import type { RpcClient } from './rpc-client.js'
import { type Clock, type Logger, OptionError, type Random, silentLogger } from '@millrace/runtime'

export type RpcClientProperties = Readonly<Record<string, string>>

export interface RpcClientDependencies {
  readonly logger?: Logger
  readonly clock?: Clock
  readonly random?: Random
}

/** Shorter limits are replaced by the default, as Flume does, in milliseconds. */
const MIN_TIMEOUT_MS = 1_000

const FLUME_API = 'org.apache.flume.api.'
const CLIENT_TYPES: Readonly<Record<string, 'default' | 'failover' | 'loadbalance'>> = {
  DEFAULT: 'default',
  DEFAULT_FAILOVER: 'failover',
  DEFAULT_LOADBALANCE: 'loadbalance',
  [`${FLUME_API}NettyAvroRpcClient`]: 'default',
  [`${FLUME_API}FailoverRpcClient`]: 'failover',
  [`${FLUME_API}LoadBalancingRpcClient`]: 'loadbalance',
}
const HOST_SELECTORS: Readonly<Record<string, 'round_robin' | 'random'>> = {
  ROUND_ROBIN: 'round_robin',
  RANDOM: 'random',
}
/** Keys that would change what is negotiated, and that this version does not act upon. */
const REFUSED = [
  'exclude-protocols',
  'include-protocols',
  'exclude-cipher-suites',
  'include-cipher-suites',
]

/**
 * Makes the client that `client.type` names. It connects at its first call.
 * @throws OptionError when hosts are missing or wrong, or a value is not supported.
 */
export function createRpcClient(
  properties: RpcClientProperties,
  dependencies: RpcClientDependencies = {},
): RpcClient {
  const logger = dependencies.logger ?? silentLogger
  const type = properties['client.type'] ?? 'DEFAULT'
  const kind = CLIENT_TYPES[type] ?? CLIENT_TYPES[type.toUpperCase()]
  if (!kind) throw new OptionError(`client.type ${type} is not supported`)
  const hosts = parseHosts(properties)
  const options = { ...sharedOptions(properties, logger), ...dependencies }
  if (kind === 'failover') {
    return new FailoverRpcClient({ ...options, hosts, maxAttempts: maxAttempts(properties) })
  }
  if (kind === 'loadbalance') {
    return new LoadBalancingRpcClient({ ...options, hosts, ...balancing(properties) })
  }
  const [address] = hosts
  if (!address) throw new OptionError('hosts is empty')
  if (hosts.length > 1) logger.warn('client.type DEFAULT uses only the first of its hosts')
  return new AvroRpcClient({ ...options, ...address })
}

function sharedOptions(
  properties: RpcClientProperties,
  logger: Logger,
): Omit<AvroRpcClientOptions, 'host' | 'port'> {
  const replaced = (key: string, least: number, fallback: number) => {
    const text = properties[key]
    if (text === undefined) return fallback
    const value = /^[+-]?\d+$/.test(text.trim()) ? Number(text) : Number.NaN
    if (value >= least) return value
    logger.warn(`${key} = ${text} is not usable, ${fallback} is taken`)
    return fallback
  }
  if (properties['maxIoWorkers'] !== undefined) logger.warn('maxIoWorkers has no effect')
  return {
    batchSize: replaced('batch-size', 1, DEFAULT_BATCH_SIZE),
    connectTimeoutMs: replaced('connect-timeout', MIN_TIMEOUT_MS, DEFAULT_TIMEOUT_MS),
    requestTimeoutMs: replaced('request-timeout', MIN_TIMEOUT_MS, DEFAULT_TIMEOUT_MS),
    compression: compression(properties),
    compressionLevel: level(properties),
    tls: tlsOptions(properties, logger),
  }
}

function compression(properties: RpcClientProperties): 'none' | 'deflate' {
  const type = (properties['compression-type'] ?? 'none').toLowerCase()
  if (type === 'none' || type === 'deflate') return type
  throw new OptionError(`compression-type ${type} is neither none nor deflate`)
}

function level(properties: RpcClientProperties): number {
  const text = properties['compression-level'] ?? '6'
  if (/^\d$/.test(text.trim())) return Number(text)
  throw new OptionError(`compression-level ${text} is not 0 to 9`)
}

function tlsOptions(properties: RpcClientProperties, logger: Logger): ClientTlsOptions | undefined {
  if (!isTrue(properties, 'ssl')) return undefined
  for (const key of REFUSED) {
    if (properties[key] !== undefined) throw new OptionError(`${key} is not supported`)
  }
  const truststore = properties['truststore']
  const keystore = properties['keystore']
  const password = properties['keystore-password']
  if (properties['truststore-password'] !== undefined) {
    logger.warn('truststore-password has no effect: PEM certificates have no password')
  }
  return {
    trustAll: isTrue(properties, 'trust-all-certs'),
    checkHostname: properties['verify-hostname']?.toLowerCase() !== 'false',
    ...(truststore === undefined
      ? {}
      : { ca: readTrustStore(truststore, typed(properties, 'truststore-type')) }),
    ...(keystore === undefined
      ? {}
      : readKeyStore(keystore, {
          ...typed(properties, 'keystore-type'),
          ...(password === undefined ? {} : { password }),
        })),
  }
}

function typed(properties: RpcClientProperties, key: string): { type?: string } {
  const type = properties[key]
  return type === undefined ? {} : { type }
}

function maxAttempts(properties: RpcClientProperties): number | undefined {
  const text = properties['max-attempts']?.trim()
  if (!text) return undefined
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new OptionError(`max-attempts ${text} is not a positive number`)
}

function balancing(properties: RpcClientProperties) {
  const selector = properties['host-selector'] ?? 'ROUND_ROBIN'
  const hostSelector = HOST_SELECTORS[selector.toUpperCase()]
  if (!hostSelector) throw new OptionError(`host-selector ${selector} is not supported`)
  const text = (properties['maxBackoff'] ?? '0').trim()
  if (!/^\d+$/.test(text)) throw new OptionError(`maxBackoff ${text} is not a number of ms`)
  return { hostSelector, backoff: isTrue(properties, 'backoff'), maxBackoffMs: Number(text) }
}

function isTrue(properties: RpcClientProperties, key: string): boolean {
  return properties[key]?.trim().toLowerCase() === 'true'
}
