import { defineMonitor } from '@millrace/component'
import { HttpMetricsServer } from '../monitoring/http-server.js'
import { httpMonitorOptions } from './http-options.js'

export const httpMonitor = defineMonitor({
  alias: 'http',
  classNames: ['org.apache.flume.instrumentation.http.HTTPMetricsServer'],
  summary:
    'Serves the counters as JSON, as Flume does, and for Prometheus, and whether the agent is well.',
  options: httpMonitorOptions,
  create: ({ options, monitored, logger }) =>
    new HttpMetricsServer({ ...options, agent: monitored, logger, metricsFormat: 'json' }),
})
