import type { AppenderState } from './appender-state.js'

/** One number of an appender, in the terms of Prometheus and OpenTelemetry. */
export interface MetricSample {
  /** Such as `millrace_appender_delivered_events_total`. */
  readonly name: string
  /** A counter never falls while the appender lives. */
  readonly kind: 'counter' | 'gauge'
  /** One sentence. */
  readonly help: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

type Kind = MetricSample['kind']

/** What each metric is; `labels` are the names of its labels. */
const METRICS = {
  accepted_events_total: ['counter', 'Records that the logger handed over.'],
  delivered_events_total: ['counter', 'Events that a receiver acknowledged.'],
  dead_letter_events_total: ['counter', 'Events that went to the dead letters.'],
  dropped_events_total: ['counter', 'Events that were given up, by reason.'],
  resent_events_total: ['counter', 'Events that were sent again, each time counted.'],
  split_batches_total: ['counter', 'Refused batches that were halved.'],
  queued_events: ['gauge', 'Events that wait.'],
  queued_bytes: ['gauge', 'Their encoded size.'],
  in_flight_events: ['gauge', 'Events on the way to a receiver.'],
  oldest_event_seconds: ['gauge', 'How long the first event has waited.'],
  calls_total: ['counter', 'Calls to receivers, by outcome.'],
  call_seconds_total: ['counter', 'Time that the calls took.'],
  host_connects_total: ['counter', 'Connections made to a receiver.'],
  host_delivered_events_total: ['counter', 'Events that a receiver acknowledged, by receiver.'],
  host_failures: ['gauge', 'Failures of a receiver since its last acknowledgement.'],
  host_up: ['gauge', '1 when the receiver is connected, 0 when it is left alone after a failure.'],
  last_success_timestamp_seconds: ['gauge', 'When a batch was last acknowledged.'],
} as const satisfies Record<string, readonly [Kind, string]>

type MetricName = keyof typeof METRICS

/** The labels of a metric that has some. */
const LABELS: Partial<Record<MetricName, readonly string[]>> = {
  dropped_events_total: ['reason'],
  calls_total: ['outcome'],
  host_connects_total: ['host'],
  host_delivered_events_total: ['host'],
  host_failures: ['host'],
  host_up: ['host'],
}

const PREFIX = 'millrace_appender_'

/** All metrics of an appender, so that they can be declared before there are numbers. */
export const APPENDER_METRICS: readonly {
  readonly name: string
  readonly kind: Kind
  readonly help: string
  readonly labelNames: readonly string[]
}[] = Object.entries(METRICS).map(([name, [kind, help]]) => ({
  name: PREFIX + name,
  kind,
  help,
  labelNames: LABELS[name as MetricName] ?? [],
}))

/**
 * The numbers of a state, for a registry of metrics that asks when it is asked itself: Prometheus's
 * `collect`, OpenTelemetry's observable instruments.
 * @param labels are added to each, for example the name of the transport.
 */
export function metricSamples(
  state: AppenderState,
  labels: Readonly<Record<string, string>> = {},
): MetricSample[] {
  const samples: MetricSample[] = []
  const add = (name: MetricName, value: number, own: Record<string, string> = {}): void => {
    const [kind, help] = METRICS[name]
    samples.push({ name: PREFIX + name, kind, help, labels: { ...labels, ...own }, value })
  }
  add('accepted_events_total', state.accepted)
  add('delivered_events_total', state.delivered)
  add('dead_letter_events_total', state.deadLettered)
  for (const [reason, count] of Object.entries(state.dropped)) {
    add('dropped_events_total', count, { reason })
  }
  add('resent_events_total', state.resent)
  add('split_batches_total', state.split)
  add('queued_events', state.queued)
  add('queued_bytes', state.queue.bytes)
  add('in_flight_events', state.inFlight)
  add('oldest_event_seconds', state.queue.oldestAgeMs / 1_000)
  for (const [outcome, count] of Object.entries(state.rpc)) add('calls_total', count, { outcome })
  add('call_seconds_total', state.rpcLatencyMs.sum / 1_000)
  for (const { host, connects, delivered, failures, state: name } of state.hosts) {
    add('host_connects_total', connects, { host })
    add('host_delivered_events_total', delivered, { host })
    add('host_failures', failures, { host })
    add('host_up', name === 'connected' || name === 'idle' ? 1 : 0, { host })
  }
  if (state.lastSuccessAt !== undefined) {
    add('last_success_timestamp_seconds', state.lastSuccessAt / 1_000)
  }
  return samples
}
