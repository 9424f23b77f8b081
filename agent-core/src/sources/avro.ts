import { defineSource, option, type Problem } from '@millrace/component'
import { messageOf } from '@millrace/runtime'
import { protocolProblems, type TlsLists } from '../tls/protocols.js'
import {
  serverKeystoreOptions,
  storeTypeProblems,
  tlsListOptions,
  truststoreOptions,
} from '../tls/tls-options.js'
import { AvroSource } from './avro-source.js'
import { parseRule } from './ip-filter.js'

/** Flume's `avro` source: takes `append` and `appendBatch` calls of clients and other agents. */
export const avroSource = defineSource({
  alias: 'avro',
  classNames: ['org.apache.flume.source.AvroSource'],
  summary: 'Receives events over Avro RPC from clients, appenders and other agents.',
  options: {
    bind: option.string('bind', {
      description: 'Address or host name to listen on.',
      required: true,
    }),
    port: option.int('port', {
      description: 'TCP port to listen on; 0 takes any free one.',
      required: true,
      max: 65_535,
    }),
    threads: option.int('threads', {
      description: 'Worker threads in Flume.',
      default: 0,
      noEffect: 'one thread serves all connections',
    }),
    compression: option.enum('compression-type', ['none', 'deflate'], {
      description: 'Compression of the byte stream; the client must use the same.',
      default: 'none',
    }),
    ssl: option.bool('ssl', { description: 'Speaks TLS.', default: false }),
    ...serverKeystoreOptions,
    ...truststoreOptions(
      'File with the certificates that client certificates must lead to: JKS, PKCS12 or PEM.',
      'PEM',
    ),
    clientAuth: option.enum('client-auth', ['none', 'want', 'need'], {
      description: 'Whether clients are asked for a certificate, or must have a good one.',
      default: 'none',
    }),
    ...tlsListOptions,
    ipFilter: option.bool('ipFilter', {
      description: 'Checks the address of each peer against ipFilterRules.',
      default: false,
    }),
    ipFilterRules: option.list('ipFilterRules', {
      description: 'Rules <allow|deny>:<ip|name>:<pattern>; the first that matches decides.',
      separator: 'comma',
    }),
    clientEventsPerSecond: option.int('client-events-per-second', {
      description: 'Events that one address may send in a second; more is answered FAILED. 0: any.',
      default: 0,
    }),
    clientBytesPerSecond: option.long('client-bytes-per-second', {
      description:
        'Bytes of calls that one address may send in a second; more is answered FAILED. 0: any.',
      default: 0,
      unit: 'bytes',
    }),
    clientConnections: option.int('client-connections', {
      description: 'Connections that one address may have; one more is closed. 0: any.',
      default: 0,
    }),
  },
  check: (options) => [...tlsProblems(options), ...filterProblems(options)],
  create: ({ options, logger, clock }) => new AvroSource(options, { logger, clock }),
})

interface TlsChoices extends TlsLists {
  readonly ssl: boolean
  readonly keystore: string | undefined
  readonly keystoreType: string | undefined
  readonly truststore: string | undefined
  readonly truststoreType: string | undefined
  readonly clientAuth: 'none' | 'want' | 'need'
}

function tlsProblems(options: TlsChoices): readonly Problem[] {
  const { ssl, clientAuth } = options
  if (!ssl) {
    const message = 'does nothing without ssl = true'
    const warning = { key: 'client-auth', severity: 'warning', message } as const
    return clientAuth === 'none' ? [] : [{ ...warning, code: 'MILLRACE_CONFIG_NO_EFFECT' }]
  }
  const problems: Problem[] = []
  const missing = (key: string, message: string) =>
    problems.push({ key, message, code: 'MILLRACE_CONFIG_MISSING' })
  if (options.keystore === undefined) missing('keystore', 'is needed with ssl = true')
  if (clientAuth !== 'none' && options.truststore === undefined) {
    missing('truststore', `is needed with client-auth = ${clientAuth}`)
  }
  return [
    ...problems,
    ...storeTypeProblems('keystore-type', options.keystoreType),
    ...storeTypeProblems('truststore-type', options.truststoreType),
    ...protocolProblems(options),
  ]
}

function filterProblems(options: {
  readonly ipFilter: boolean
  readonly ipFilterRules: readonly string[]
}): readonly Problem[] {
  const { ipFilter, ipFilterRules } = options
  if (!ipFilter) return []
  const key = 'ipFilterRules'
  if (ipFilterRules.length === 0) {
    return [{ key, code: 'MILLRACE_CONFIG_MISSING', message: 'is needed with ipFilter = true' }]
  }
  return ipFilterRules.flatMap((rule) => {
    try {
      parseRule(rule)
      return []
    } catch (error) {
      return [{ key, message: messageOf(error) }]
    }
  })
}
