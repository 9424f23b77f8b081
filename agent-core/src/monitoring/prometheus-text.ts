/** The counters in the text format of Prometheus, version 0.0.4. */
import { type AgentHistogram, HISTOGRAM_BOUNDS_MS, type MonitoredAgent } from '@millrace/component'
import { type Metric, Registry } from 'prom-client'

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

interface Sample {
  readonly value: number
  readonly labels: Readonly<Record<string, string | number>>
  /** Default the name of the family. */
  readonly metricName?: string
}

interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly values: Sample[]
}

/**
 * Flume's attributes are `Flume_<Attribute>{component="SOURCE.r1"}`, as its later versions name them; our own begin
 * with `millrace_` and are in seconds.
 */
export async function prometheusText(agent: MonitoredAgent): Promise<string> {
  const registry = new Registry()
  for (const family of [...attributes(agent), ...histograms(agent), health(agent)]) {
    if (family.values.length === 0) continue
    const metric = { ...family, get: () => Promise.resolve(family) }
    // The library formats whatever has these fields; its own classes would count once more what is counted.
    registry.registerMetric(metric as unknown as Metric)
  }
  return registry.metrics()
}

function attributes(agent: MonitoredAgent): Family[] {
  const families = new Map<string, Family>()
  for (const [component, group] of Object.entries(agent.metrics())) {
    for (const [attribute, text] of Object.entries(group)) {
      const value = text === 'true' ? 1 : text === 'false' ? 0 : Number(text)
      if (Number.isNaN(value)) continue
      const family = families.get(attribute) ?? {
        name: `Flume_${attribute}`,
        help: `${attribute} of a component`,
        type: isCount(attribute) ? 'counter' : 'gauge',
        values: [],
      }
      family.values.push({ value, labels: { component } })
      families.set(attribute, family)
    }
  }
  return [...families.values()]
}

/** What only grows while its component runs. */
function isCount(attribute: string): boolean {
  return /(Count|Fail)$/.test(attribute) && attribute !== 'OpenConnectionCount'
}

const HISTOGRAM_HELP: Readonly<Record<AgentHistogram['name'], string>> = {
  time_in_channel: 'Time that events were in a channel when they were delivered',
  event_age: 'Age of events by their timestamp header when a sink had delivered them',
}

function histograms(agent: MonitoredAgent): Family[] {
  const families = new Map<string, Family>()
  for (const { component, name, histogram } of agent.histograms()) {
    const family = families.get(name) ?? {
      name: `millrace_${name}_seconds`,
      help: HISTOGRAM_HELP[name],
      type: 'histogram',
      values: [],
    }
    families.set(name, family)
    const bucket = (le: string | number, value: number): Sample => ({
      value,
      labels: { component, le },
      metricName: `${family.name}_bucket`,
    })
    family.values.push(
      ...histogram
        .cumulative()
        .map((count, i) => bucket((HISTOGRAM_BOUNDS_MS[i] ?? 0) / 1_000, count)),
      bucket('+Inf', histogram.count),
      { value: histogram.sumMs / 1_000, labels: { component }, metricName: `${family.name}_sum` },
      { value: histogram.count, labels: { component }, metricName: `${family.name}_count` },
    )
  }
  return [...families.values()]
}

function health(agent: MonitoredAgent): Family {
  const { components } = agent.health()
  return {
    name: 'millrace_component_up',
    help: 'Whether a component runs',
    type: 'gauge',
    values: Object.entries(components).map(([component, state]) => ({
      value: state === 'running' ? 1 : 0,
      labels: { component },
    })),
  }
}
