import { defineSource, option } from '@millrace/component'
import { DatagramSource, firstLine } from './listener/datagram-source.js'
import { plainAddress } from './listener/peer-names.js'

/** Flume's `netcatudp` source. */
export const netcatudpSource = defineSource({
  alias: 'netcatudp',
  classNames: ['org.apache.flume.source.NetcatUdpSource'],
  summary: 'Receives lines of text over UDP, one a datagram.',
  options: {
    bind: option.string('bind', {
      description: 'Address or host name to bind to; every address of the machine without it.',
    }),
    port: option.int('port', {
      description: 'UDP port to bind to; 0 takes any free one.',
      required: true,
      max: 65_535,
    }),
    remoteAddressHeader: option.string('remoteAddressHeader', {
      description: 'Name of remoteAddress in the guide.',
      noEffect: 'Flume does not read it either; write remoteAddress',
    }),
    remoteAddress: option.string('remoteAddress', {
      description: "Name of a header for the sender's address, as /10.0.0.1:5000.",
    }),
  },
  create: ({ options, logger, clock }) => {
    const { bind: host, port, remoteAddress } = options
    return new DatagramSource(
      {
        host,
        port,
        toEvent(bytes, from) {
          const body = firstLine(bytes)
          if (body.length === 0 && bytes.length === 0) return undefined
          if (remoteAddress === undefined) return { body }
          const value = `/${plainAddress(from.address)}:${from.port}`
          return { headers: { [remoteAddress]: value }, body }
        },
      },
      { logger, clock },
    )
  },
})
