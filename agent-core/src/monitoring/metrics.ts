/** Counters as Flume's JSON reporting shows them: every value is a text. */
import type { AgentHistogram, AgentMetrics, Counters } from '@millrace/component'
import type { Graph } from '../assembly/graph.js'
import { javaDouble } from './java-double.js'

/** Attributes by component, as `SOURCE.r1`, `CHANNEL.c1` and `SINK.k1`. */
export type Metrics = AgentMetrics

type MonitoredType = 'SOURCE' | 'CHANNEL' | 'SINK'

/** The metrics of all components that Flume monitors. */
export function metricsOf(graph: Graph): Metrics {
  const metrics: Metrics = {}
  for (const { name, isMonitored, counters, configuration, part } of graph.sources) {
    if (!isMonitored) continue
    metrics[`SOURCE.${name}`] = attributes('SOURCE', counters)
    part.interceptorMetrics.forEach((figures, i) => {
      for (const [key, value] of Object.entries(texts(figures))) {
        const shownKey = `${configuration.interceptors[i]?.name ?? i}.${key}`
        metrics[`SOURCE.${name}`] = { ...metrics[`SOURCE.${name}`], [shownKey]: value }
      }
    })
  }
  for (const { configuration, channel, counters } of graph.channels.values()) {
    if (configuration.definition.isMonitored === false) continue
    counters.channelSize = channel.size.events
    metrics[`CHANNEL.${configuration.name}`] = {
      ...attributes('CHANNEL', counters),
      ...texts(channel.metrics),
      ChannelFillPercentage: fillPercentage(counters.channelSize, counters.channelCapacity),
    }
  }
  for (const { name, isMonitored, counters, deadLetters } of graph.sinks) {
    if (!isMonitored) continue
    const more = deadLetters ? { EventDeadLetterCount: deadLetters.eventCount } : {}
    metrics[`SINK.${name}`] = { ...attributes('SINK', counters), ...texts(more) }
  }
  return metrics
}

/** How long events were on their way: by channel, and by sink for those with a timestamp. */
export function histogramsOf(graph: Graph): AgentHistogram[] {
  const found: AgentHistogram[] = []
  for (const { configuration, counters } of graph.channels.values()) {
    const component = `CHANNEL.${configuration.name}`
    found.push({ component, name: 'time_in_channel', histogram: counters.timeInChannel })
  }
  for (const { name, counters } of graph.sinks) {
    found.push({ component: `SINK.${name}`, name: 'event_age', histogram: counters.eventAge })
  }
  return found
}

function attributes(type: MonitoredType, counters: Counters): Record<string, string> {
  const shown: Record<string, string> = { Type: type }
  for (const [name, value] of Object.entries(counters)) {
    shown[name.charAt(0).toUpperCase() + name.slice(1)] = String(value)
  }
  return shown
}

function texts(figures: Readonly<Record<string, number | boolean>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, String(value)]))
}

/** Flume's way, also without a capacity, where Java answers its largest double. */
function fillPercentage(size: number, capacity: number): string {
  return javaDouble(capacity === 0 ? Number.MAX_VALUE : (size / capacity) * 100)
}
