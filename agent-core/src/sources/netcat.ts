import { defineSource, option } from '@millrace/component'

/** Flume's `netcat` source: each line of text that a TCP connection brings is an event. */
export const netcatSource = defineSource({
  alias: 'netcat',
  classNames: ['org.apache.flume.source.NetcatSource'],
  summary: 'Receives lines of text over TCP; each line is an event.',
  isMonitored: false,
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
    maxLineLength: option.int('max-line-length', {
      description: 'Longest line in characters, its newline included.',
      default: 512,
      min: 1,
    }),
    ackEveryEvent: option.bool('ack-every-event', {
      description: 'Answers OK to each line once it is stored.',
      default: true,
    }),
    encoding: option.string('encoding', {
      description: 'Character set of lines and answers. Bodies are always UTF-8.',
      default: 'utf-8',
    }),
  },
  create() {
    return {}
  },
})
