import { defineSink, option, type Problem } from '@millrace/component'
import { protocolProblems, type TlsLists } from '../tls/protocols.js'
import {
  storeTypeOption,
  storeTypeProblems,
  tlsListOptions,
  truststoreOptions,
} from '../tls/tls-options.js'
import { AvroSink } from './avro-sink.js'
import { clientProblems, rpcClientFactory } from './rpc-client-factory.js'

const MIN_TIMEOUT_MS = 1_000

/** Flume's `avro` sink: hands batches to an avro source over Avro RPC. */
export const avroSink = defineSink({
  alias: 'avro',
  classNames: ['org.apache.flume.sink.AvroSink'],
  summary: 'Sends events over Avro RPC to the avro source of another agent.',
  options: {
    hostname: option.string('hostname', {
      description: 'Host of the next agent.',
      required: true,
    }),
    port: option.int('port', {
      description: 'TCP port of the next agent.',
      required: true,
      min: 1,
      max: 65_535,
    }),
    batchSize: option.int('batch-size', {
      description: 'Most events of one call and of one transaction.',
      default: 100,
      adjustBelow: 1,
    }),
    connectTimeoutMs: option.duration('connect-timeout', {
      description: 'Limit for connecting and for the first call of a connection.',
      unit: 'ms',
      default: 20_000,
      adjustBelow: MIN_TIMEOUT_MS,
    }),
    requestTimeoutMs: option.duration('request-timeout', {
      description: 'Limit for each later call.',
      unit: 'ms',
      default: 20_000,
      adjustBelow: MIN_TIMEOUT_MS,
    }),
    resetConnectionIntervalMs: option.duration('reset-connection-interval', {
      description: 'Age at which a connection is replaced; 0 keeps it.',
      unit: 's',
      default: 0,
    }),
    compression: option.enum('compression-type', ['none', 'deflate'], {
      description: 'Compression of the byte stream; the source must use the same.',
      default: 'none',
    }),
    compressionLevel: option.int('compression-level', {
      description: 'Level of deflate.',
      default: 6,
      max: 9,
    }),
    ssl: option.bool('ssl', { description: 'Speaks TLS.', default: false }),
    trustAllCerts: option.bool('trust-all-certs', {
      description: 'Takes any certificate of the server.',
      default: false,
    }),
    ...truststoreOptions(
      'File with the certificates that the server’s must lead to: JKS, PKCS12 or PEM.',
      'JKS',
    ),
    verifyHostname: option.bool('verify-hostname', {
      description:
        'Whether the server’s certificate must be good for the name that is connected to.',
      default: true,
    }),
    keystore: option.string('keystore', {
      description:
        'File with the private key and certificate chain of this client: JKS, PKCS12 or PEM.',
    }),
    keystorePassword: option.string('keystore-password', {
      description: 'Password of the key store and its key.',
      secret: true,
    }),
    keystoreType: storeTypeOption('keystore-type', 'PEM'),
    tlsDeflateOrder: option.enum('tls-deflate-order', ['v1.10', 'v1.9'], {
      description:
        'With ssl and deflate: v1.10 puts zlib outside as Flume 1.10 and later, v1.9 TLS as those before.',
      default: 'v1.10',
    }),
    ...tlsListOptions,
    maxIoWorkers: option.int('maxIoWorkers', {
      description: 'I/O threads in Flume.',
      noEffect: 'one thread serves all connections',
    }),
    clientType: option.string('client.type', {
      description: 'Client to use: default, default_failover or default_loadbalance.',
      default: 'DEFAULT',
    }),
    hosts: option.list('hosts', {
      description: 'Names of hosts, instead of hostname and port.',
      default: 'h1',
    }),
    hostsByAlias: {
      ...option.map('hosts.<alias>', { description: '`host:port` of one name in hosts.' }),
      type: 'string' as const,
    },
    hostSelector: option.string('host-selector', {
      description: 'Order of the load-balancing client: ROUND_ROBIN or RANDOM.',
      default: 'ROUND_ROBIN',
    }),
    backoff: option.bool('backoff', {
      description: 'Whether the load-balancing client leaves out failing hosts for a while.',
      default: false,
    }),
    maxBackoffMs: option.duration('maxBackoff', {
      description: 'Longest time that a host is left out; 0 means 30000.',
      unit: 'ms',
      default: 0,
    }),
    maxAttempts: option.int('max-attempts', {
      description: 'Most hosts that the failover client tries for a batch.',
      min: 1,
    }),
  },
  check: (options) => [...tlsProblems(options), ...clientProblems(options)],
  batchSize: (options) => ({ key: 'batch-size', events: options.batchSize }),
  create: ({ options, logger, clock, random }) =>
    new AvroSink(
      { batchSize: options.batchSize, resetIntervalMs: options.resetConnectionIntervalMs },
      { logger, clock, client: rpcClientFactory(options, { logger, clock, random }) },
    ),
})

interface TlsChoices extends TlsLists {
  readonly ssl: boolean
  readonly truststoreType: string | undefined
  readonly keystoreType: string | undefined
}

function tlsProblems(options: TlsChoices): readonly Problem[] {
  if (!options.ssl) return []
  return [
    ...storeTypeProblems('truststore-type', options.truststoreType),
    ...storeTypeProblems('keystore-type', options.keystoreType),
    ...protocolProblems(options),
  ]
}
