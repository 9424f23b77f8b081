import { defineMonitor, option } from '@millrace/component'
import { GangliaMonitor, parseGangliaHosts } from './ganglia-monitor.js'

export const gangliaMonitor = defineMonitor({
  alias: 'ganglia',
  classNames: ['org.apache.flume.instrumentation.GangliaServer'],
  summary: 'Sends the counters to the gmond daemons of Ganglia, again and again.',
  options: {
    hosts: option.list('hosts', {
      description: '`host:port` of each daemon, with commas or blanks between them.',
      required: true,
    }),
    pollFrequencyMs: option.duration('pollFrequency', {
      description: 'Time between two reports.',
      default: 60,
      unit: 's',
      min: 1,
    }),
    isGanglia3: option.bool('isGanglia3', {
      description: 'Whether the daemons are of Ganglia 3.0, which has another format than 3.1.',
      default: false,
    }),
  },
  check({ hosts }) {
    const { bad } = parseGangliaHosts(hosts)
    return bad.map((text) => ({ key: 'hosts', message: `${text} is not host:port` }))
  },
  create: ({ options, monitored, logger, clock }) =>
    new GangliaMonitor({ ...options, monitored, logger, clock }),
})
