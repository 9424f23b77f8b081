import { defineSource, option } from '@millrace/component'
import { listenerTlsOptions, listenerTlsProblems } from '../tls/listener-tls.js'
import { HttpSource } from './http/http-source.js'

const NO_JETTY = 'it is about Jetty, the HTTP server of Flume'
const MAX_REQUEST_BYTES = 128 * 1_024 * 1_024

const options = {
  port: option.int('port', {
    description: 'TCP port to listen on; 0 takes any free one.',
    required: true,
    max: 65_535,
  }),
  bind: option.string('bind', {
    description: 'Address or host name to listen on.',
    default: '0.0.0.0',
  }),
  handler: option.component('handler', {
    description: 'How a request becomes events.',
    kind: 'httpHandler',
    prefix: 'handler.',
    default: 'org.apache.flume.source.http.JSONHandler',
  }),
  ...listenerTlsOptions,
  threadPool: option.map('QueuedThreadPool.*', {
    description: 'Properties of the thread pool.',
    noEffect: NO_JETTY,
  }),
  httpConfiguration: option.map('HttpConfiguration.*', {
    description: 'Properties of the HTTP configuration.',
    noEffect: NO_JETTY,
  }),
  sslContextFactory: option.map('SslContextFactory.*', {
    description: 'Properties of the TLS configuration.',
    noEffect: NO_JETTY,
  }),
  serverConnector: option.map('ServerConnector.*', {
    description: 'Properties of the connector.',
    noEffect: NO_JETTY,
  }),
  oldKeystorePassword: option.string('keystorePassword', {
    description: 'Old name of keystore-password.',
    secret: true,
  }),
  oldExcludeProtocols: option.list('excludeProtocols', {
    description: 'Old name of exclude-protocols.',
    default: 'SSLv3',
  }),
  enableSsl: option.bool('enableSSL', { description: 'Old name of ssl.', default: false }),
  maxRequestBytes: option.int('maxRequestBytes', {
    description: 'Longest body of a request, packed or not. Not in Flume, which has no limit.',
    unit: 'bytes',
    default: MAX_REQUEST_BYTES,
    min: 1,
    max: 1_024 * 1_024 * 1_024,
  }),
} as const

type Options = Parameters<typeof listenerTlsProblems>[0] & {
  readonly oldKeystorePassword: string | undefined
  readonly oldExcludeProtocols: readonly string[]
  readonly enableSsl: boolean
}

/** Flume's `http` source. */
export const httpSource = defineSource({
  alias: 'http',
  classNames: ['org.apache.flume.source.http.HTTPSource'],
  summary: 'Receives events over HTTP; what a request means says its handler.',
  options,
  check: (given) => listenerTlsProblems(tlsOf(given)),
  create: ({ options, logger, clock, createHttpHandler }) => {
    const { bind, port, maxRequestBytes } = options
    const host = { logger, clock, createHandler: createHttpHandler }
    return new HttpSource({ bind, port, maxRequestBytes, tls: tlsOf(options) }, host)
  },
})

/** The keys of TLS, old names included. */
function tlsOf(options: Options) {
  const { ssl, enableSsl, keystorePassword, oldKeystorePassword } = options
  return {
    ...options,
    ssl: ssl || enableSsl,
    keystorePassword: keystorePassword ?? oldKeystorePassword,
    excludeProtocols: [...options.excludeProtocols, ...options.oldExcludeProtocols],
  }
}
