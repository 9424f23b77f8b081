import { defineMonitor } from '@millrace/component'
import { HttpMetricsServer } from '../monitoring/http-server.js'
import { httpMonitorOptions } from './http-options.js'

export const prometheusMonitor = defineMonitor({
  alias: 'prometheus',
  classNames: ['org.apache.flume.instrumentation.http.PrometheusHTTPMetricsServer'],
  summary: 'Serves the counters in the text format of Prometheus, and whether the agent is well.',
  options: httpMonitorOptions,
  create: ({ options, monitored, logger }) =>
    new HttpMetricsServer({ ...options, agent: monitored, logger, metricsFormat: 'prometheus' }),
})
