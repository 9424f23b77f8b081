import { defineSource, option } from '@millrace/component'
import { DatagramSource, firstLine } from './listener/datagram-source.js'
import { PeerNames, plainAddress } from './listener/peer-names.js'
import { singlePortParser } from './syslog/single-port-parser.js'
import { keptFields } from './syslog/syslog-message.js'
import { formatOptions, keepFieldsProblems, peerOptions } from './syslog/syslog-options.js'

/** Flume's `syslogudp` source. */
export const syslogudpSource = defineSource({
  alias: 'syslogudp',
  classNames: ['org.apache.flume.source.SyslogUDPSource'],
  summary: 'Receives syslog messages over UDP, one a datagram.',
  options: {
    host: option.string('host', {
      description: 'Address or host name to bind to; every address of the machine without it.',
    }),
    port: option.int('port', {
      description: 'UDP port to bind to; 0 takes any free one.',
      required: true,
      max: 65_535,
    }),
    ...peerOptions,
    ...formatOptions,
  },
  check: ({ keepFields }) => keepFieldsProblems(keepFields),
  create: ({ options, logger, clock }) => {
    const { host, port, keepFields, clientIPHeader, clientHostnameHeader } = options
    const parser = singlePortParser(keptFields(keepFields.join(' ')), clock)
    const names = new PeerNames()
    return new DatagramSource(
      {
        host,
        port,
        toEvent: async (bytes, from) => {
          const line = firstLine(bytes)
          if (line.length === 0) return undefined
          const { headers, body } = parser(line, undefined)
          const address = plainAddress(from.address)
          const peer: Record<string, string> = {}
          if (clientIPHeader !== undefined) peer[clientIPHeader] = address
          if (clientHostnameHeader !== undefined) {
            peer[clientHostnameHeader] = await names.nameOf(address)
          }
          return { headers: { ...headers, ...peer }, ...(body === undefined ? {} : { body }) }
        },
      },
      { logger, clock },
    )
  },
})
