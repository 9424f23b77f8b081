import { defineSource, option, type Problem } from '@millrace/component'
import { storeTypeOption, storeTypeProblems, tlsListOptions } from '../tls/tls-options.js'

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
    keystore: option.string('keystore', {
      description: 'PEM file with the private key and the certificate chain.',
    }),
    keystorePassword: option.string('keystore-password', {
      description: 'Password of an encrypted private key.',
      secret: true,
    }),
    keystoreType: storeTypeOption('keystore-type', 'JKS'),
    truststore: option.string('truststore', {
      description: 'PEM file with the certificates that client certificates must lead to.',
    }),
    truststoreType: storeTypeOption('truststore-type', 'PEM'),
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
  },
  check(options) {
    const problems: Problem[] = []
    if (options.ssl) {
      if (options.keystore === undefined) {
        problems.push({
          key: 'keystore',
          code: 'MILLRACE_CONFIG_MISSING',
          message: 'is needed with ssl = true',
        })
      }
      problems.push(
        ...storeTypeProblems('keystore-type', options.keystoreType),
        ...storeTypeProblems('truststore-type', options.truststoreType),
      )
      if (options.clientAuth !== 'none' && options.truststore === undefined) {
        problems.push({
          key: 'truststore',
          code: 'MILLRACE_CONFIG_MISSING',
          message: `is needed with client-auth = ${options.clientAuth}`,
        })
      }
    } else if (options.clientAuth !== 'none') {
      problems.push({
        key: 'client-auth',
        code: 'MILLRACE_CONFIG_NO_EFFECT',
        severity: 'warning',
        message: 'does nothing without ssl = true',
      })
    }
    return problems
  },
  create() {
    return {}
  },
})
