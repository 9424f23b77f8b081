import { defineSource, option, type OptionsOf, type Problem } from '@millrace/component'
import { messageOf } from '@millrace/runtime'
import { listenerTlsOptions, listenerTlsProblems } from '../tls/listener-tls.js'
import { lineCharset } from './line-charset.js'
import { multiPortParser } from './syslog/multi-port-parser.js'
import { keptFields } from './syslog/syslog-message.js'
import { eventSizeOption, keepFieldsProblems, peerOptions } from './syslog/syslog-options.js'
import { SyslogTcpSource } from './syslog/syslog-tcp-source.js'

const options = {
  host: option.string('host', {
    description: 'Address or host name to listen on; every address of the machine without it.',
  }),
  ports: option.list('ports', { description: 'TCP ports to listen on.', required: true }),
  eventSize: eventSizeOption,
  ...peerOptions,
  portHeader: option.string('portHeader', {
    description: 'Name of a header for the port that a message came to.',
  }),
  charset: option.string('charset.default', {
    description: 'Character set of the messages.',
    default: 'UTF-8',
  }),
  charsets: option.map('charset.port.<port>', {
    description: 'Character set of the messages that come to a port.',
  }),
  batchSize: option.int('batchSize', {
    description: 'Most messages that are put into the channel at once.',
    default: 100,
    min: 1,
  }),
  readBufferSize: option.int('readBufferSize', {
    description: 'Name of readBufferBytes in the guide.',
    default: 1_024,
    noEffect: 'Flume does not read it either',
  }),
  readBufferBytes: option.int('readBufferBytes', {
    description: 'Read buffer of a connection in Flume.',
    unit: 'bytes',
    default: 1_024,
    noEffect: 'the system’s buffers are read as they are',
  }),
  numProcessors: option.int('numProcessors', {
    description: 'I/O threads in Flume.',
    noEffect: 'one thread serves all connections',
  }),
  ...listenerTlsOptions,
} as const

type Options = OptionsOf<typeof options>

/** Flume's `multiport_syslogtcp` source. */
export const multiportSyslogtcpSource = defineSource({
  alias: 'multiport_syslogtcp',
  classNames: ['org.apache.flume.source.MultiportSyslogTCPSource'],
  summary: 'Receives syslog messages over TCP on several ports, a line each.',
  options,
  batchSize: ({ batchSize }) => ({ key: 'batchSize', events: batchSize }),
  check: (given) => [
    ...portProblems(given),
    ...charsetProblems(given),
    ...keepFieldsProblems(given.keepFields),
    ...listenerTlsProblems(given),
  ],
  create: ({ options, logger, clock }) => {
    const { ports, keepFields, charsets, charset } = options
    const keep = keptFields(keepFields.join(' '))
    return new SyslogTcpSource(
      {
        ...options,
        ports: ports.map(Number),
        tls: options,
        parserFor: (port) => multiPortParser(keep, charsets[String(port)] ?? charset, clock),
      },
      { logger, clock },
    )
  },
})

function portProblems({ ports }: Options): readonly Problem[] {
  const wrong = ports.find((port) => !/^\d{1,5}$/.test(port) || Number(port) > 65_535)
  if (wrong !== undefined) return [{ key: 'ports', message: `${wrong} is no TCP port` }]
  const twice = ports.find((port, i) => port !== '0' && ports.indexOf(port) < i)
  return twice === undefined ? [] : [{ key: 'ports', message: `has the port ${twice} twice` }]
}

function charsetProblems({ charset, charsets, ports }: Options): readonly Problem[] {
  const keys: [string, string][] = [
    ['charset.default', charset],
    ...Object.entries(charsets).map(([port, name]): [string, string] => {
      return [`charset.port.${port}`, name]
    }),
  ]
  const unknown = Object.keys(charsets).filter((port) => !ports.includes(port))
  return [
    ...keys.flatMap(([key, name]) => charsetProblem(key, name)),
    ...unknown.map((port): Problem => {
      const message = 'is of a port that ports does not name'
      return {
        key: `charset.port.${port}`,
        severity: 'warning',
        code: 'MILLRACE_CONFIG_UNKNOWN_NAME',
        message,
      }
    }),
  ]
}

function charsetProblem(key: string, name: string): readonly Problem[] {
  // A line feed and the signs of a head must be the bytes that they are in ASCII.
  if (/^utf-?(16|32)/i.test(name))
    return [{ key, message: `${name} is no character set for syslog` }]
  try {
    lineCharset(name)
    return []
  } catch (error) {
    return [{ key, message: messageOf(error) }]
  }
}
