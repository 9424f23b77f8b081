import { defineSource, option } from '@millrace/component'
import { listenerTlsOptions, listenerTlsProblems } from '../tls/listener-tls.js'
import { singlePortParser } from './syslog/single-port-parser.js'
import { keptFields } from './syslog/syslog-message.js'
import {
  eventSizeOption,
  formatOptions,
  keepFieldsProblems,
  peerOptions,
} from './syslog/syslog-options.js'
import { SyslogTcpSource } from './syslog/syslog-tcp-source.js'

/** Most messages of one put; a channel that takes less gets fewer at once. */
const BATCH_SIZE = 100

/** Flume's `syslogtcp` source. */
export const syslogtcpSource = defineSource({
  alias: 'syslogtcp',
  classNames: ['org.apache.flume.source.SyslogTcpSource'],
  summary: 'Receives syslog messages over TCP, a line each.',
  options: {
    host: option.string('host', {
      description: 'Address or host name to listen on.',
      required: true,
    }),
    port: option.int('port', {
      description: 'TCP port to listen on; 0 takes any free one.',
      required: true,
      max: 65_535,
    }),
    eventSize: eventSizeOption,
    ...peerOptions,
    ...formatOptions,
    ...listenerTlsOptions,
  },
  check: (options) => [...keepFieldsProblems(options.keepFields), ...listenerTlsProblems(options)],
  create: ({ options, logger, clock }) => {
    const keep = keptFields(options.keepFields.join(' '))
    return new SyslogTcpSource(
      {
        ...options,
        ports: [options.port],
        tls: options,
        batchSize: BATCH_SIZE,
        portHeader: undefined,
        parserFor: () => singlePortParser(keep, clock),
      },
      { logger, clock },
    )
  },
})
