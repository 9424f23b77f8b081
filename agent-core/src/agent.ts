/** The agent: sources, channels and sinks of one configuration, kept running. */
import {
  type Clock,
  delay,
  LifecycleError,
  type Logger,
  type Random,
  systemClock,
  withDeadline,
} from '@millrace/runtime'
import { assemble, type AssemblyTools } from './assembly/assemble.js'
import type { ChannelNode, Graph } from './assembly/graph.js'
import { stopGraph, stopSinks, stopSources } from './assembly/stop-graph.js'
import type { Supervised } from './assembly/supervised.js'
import type { AgentConfiguration } from './configuration/agent-configuration.js'
import type { AgentHealth } from './monitoring/http-server.js'
import { type Metrics, metricsOf } from './monitoring/metrics.js'

const DEFAULT_START_TIMEOUT_MS = 30_000
const DEFAULT_REPLACE_TIMEOUT_MS = 10_000
/** How often a channel that is to go is looked at, in milliseconds. */
const DRAIN_CHECK_MS = 20

export interface AgentOptions {
  readonly logger: Logger
  readonly clock?: Clock
  readonly random?: Random
  /** How long a component that cannot start is tried again before the agent gives up, in milliseconds. Default 30,000. */
  readonly startTimeoutMs?: number
  /**
   * How long the components of a configuration that failed or is replaced may take to stop, and a
   * channel that is to go may take to become empty, in milliseconds. Default 10,000.
   */
  readonly replaceTimeoutMs?: number
  /** Told the bytes of each batch that a source hands over: for who manages the process's memory. */
  readonly onBytes?: (bytes: number) => void
}

export interface StopReport {
  /** Events that memory channels still held, by channel; channels that were empty are not listed. */
  readonly undelivered: Readonly<Record<string, number>>
}

type AgentState = 'idle' | 'starting' | 'ready' | 'stopping' | 'stopped'

/**
 * Runs one configuration. Components start in the order channels, sinks, sources and stop in the
 * order sources, sinks, channels. It never ends the process and listens to no signal.
 */
export class Agent {
  readonly #tools: AssemblyTools
  readonly #startTimeoutMs: number
  readonly #replaceTimeoutMs: number
  #state: AgentState = 'idle'
  #graph: Graph | undefined
  /** Ends a start or reload under way. */
  #halt = new AbortController()
  #operation: Promise<void> = Promise.resolve()
  #stopping: Promise<StopReport> | undefined

  constructor(options: AgentOptions) {
    const { logger, clock = systemClock, random = Math.random } = options
    this.#tools = { logger, clock, random, onBytes: options.onBytes }
    this.#startTimeoutMs = options.startTimeoutMs ?? DEFAULT_START_TIMEOUT_MS
    this.#replaceTimeoutMs = options.replaceTimeoutMs ?? DEFAULT_REPLACE_TIMEOUT_MS
  }

  /**
   * Resolves when every component has started. One that fails is tried again, with back-off, for
   * `startTimeoutMs`; then everything is stopped. Later failures are repaired for ever.
   * @throws LifecycleError `MILLRACE_LIFECYCLE_START_FAILED` with the cause, `…_STATE` when it runs already.
   */
  async start(configuration: AgentConfiguration): Promise<void> {
    if (this.#state !== 'idle' && this.#state !== 'stopped') {
      throw new LifecycleError('MILLRACE_LIFECYCLE_STATE', `The agent is ${this.#state}`)
    }
    const graph = assemble(configuration, this.#tools)
    this.#graph = graph
    this.#state = 'starting'
    this.#stopping = undefined
    this.#halt = new AbortController()
    const starting = this.#startWithin(graph, this.#halt.signal)
    this.#operation = starting.catch(() => {})
    await starting
  }

  /**
   * Replaces the configuration. All components restart, except that a channel which can take new
   * options stays, with its events, where its name and type stay. A memory channel that is to go is
   * drained first; when it does not become empty in `replaceTimeoutMs`, the old configuration goes on. Components
   * of the new one that fail to start are tried again for ever.
   * @throws LifecycleError when the agent does not run or a channel cannot be drained; what a
   *   component's `create` throws. The old configuration runs on then.
   */
  async reload(configuration: AgentConfiguration): Promise<void> {
    if (this.#state !== 'ready') {
      throw new LifecycleError('MILLRACE_LIFECYCLE_STATE', `The agent is ${this.#state}`)
    }
    const reloading = this.#operation.then(() => this.#replace(configuration))
    this.#operation = reloading.catch(() => {})
    await reloading
  }

  /**
   * Stops within the deadline: sources answer what they hold, sinks drain the memory channels. A
   * second call gets the answer of the first; before a start it does nothing.
   */
  stop(options: { readonly deadlineMs: number }): Promise<StopReport> {
    if (this.#state === 'idle') return Promise.resolve({ undelivered: {} })
    this.#stopping ??= this.#stop(options.deadlineMs)
    return this.#stopping
  }

  /** The counters of all monitored components under Flume's names, every value as text. */
  metrics(): Metrics {
    return this.#graph ? metricsOf(this.#graph) : {}
  }

  /** Whether the agent has started and every component runs. */
  health(): AgentHealth {
    const components: Record<string, string> = {}
    let isWell = true
    for (const { name, state } of this.#graph ? allOf(this.#graph) : []) {
      components[name] = state
      if (state !== 'running') isWell = false
    }
    if (this.#state === 'ready') return { status: isWell ? 'ok' : 'degraded', components }
    return { status: this.#state === 'starting' ? 'starting' : 'stopped', components }
  }

  async #startWithin(graph: Graph, halt: AbortSignal): Promise<void> {
    const limit = this.#startLimit(halt)
    try {
      await startGraph(graph, (supervised) => supervised.start(limit.signal))
      if (!halt.aborted) this.#state = 'ready'
    } catch (error) {
      limit.end()
      if (!halt.aborted) {
        await this.#stopGraph(graph, this.#replaceTimeoutMs)
        this.#state = 'stopped'
      }
      throw error
    } finally {
      limit.cancel()
    }
  }

  /** A signal that is aborted when the time for a start is over, or when the agent is stopped. */
  #startLimit(halt: AbortSignal): { signal: AbortSignal; end(): void; cancel(): void } {
    const controller = new AbortController()
    const end = () => controller.abort()
    const timer = this.#tools.clock.after(this.#startTimeoutMs, end)
    halt.addEventListener('abort', end, { once: true })
    const cancel = () => {
      timer.cancel()
      halt.removeEventListener('abort', end)
    }
    return { signal: controller.signal, end, cancel }
  }

  async #stop(deadlineMs: number): Promise<StopReport> {
    const graph = this.#graph
    const wasStopped = this.#state === 'stopped'
    if (!wasStopped) this.#state = 'stopping'
    this.#halt.abort()
    const beganMs = this.#tools.clock.monotonic()
    // It ends as soon as the component at hand lets it.
    await withDeadline(this.#operation, deadlineMs / 2, () => {}, this.#tools.clock)
    // A reload that was under way can have replaced it.
    const current = this.#graph ?? graph
    if (!current) return { undelivered: {} }
    const leftMs = Math.max(0, deadlineMs - (this.#tools.clock.monotonic() - beganMs))
    if (!wasStopped) await this.#stopGraph(current, leftMs)
    this.#state = 'stopped'
    return { undelivered: undelivered(current) }
  }

  #stopGraph(graph: Graph, deadlineMs: number): Promise<void> {
    return stopGraph(graph, { deadlineMs, drains: true, clock: this.#tools.clock })
  }

  async #replace(configuration: AgentConfiguration): Promise<void> {
    const old = this.#graph
    const halt = this.#halt.signal
    if (!old || halt.aborted) return
    const kept = keptChannels(old, configuration)
    const next = assemble(configuration, this.#tools, kept)
    const going = [...old.channels.values()].filter((node) => !kept.has(node.configuration.name))
    await stopSources(old, this.#replaceTimeoutMs)
    await this.#drain(going, halt)
    if (halt.aborted) return
    const full = going.filter(({ channel }) => !channel.isDurable && channel.size.events > 0)
    if (full.length > 0) {
      await Promise.all(old.sources.map(({ supervised }) => supervised.startSupervised(halt)))
      throw new LifecycleError('MILLRACE_LIFECYCLE_STATE', refusal(full))
    }
    const options = { deadlineMs: this.#replaceTimeoutMs, drains: false, clock: this.#tools.clock }
    await stopSinks(old, options)
    await Promise.all(
      going.map(({ supervised }) => supervised.stop({ deadlineMs: this.#replaceTimeoutMs })),
    )
    if (halt.aborted) return
    for (const { name, options } of configuration.channels) {
      kept.get(name)?.channel.reconfigure?.(options)
    }
    this.#graph = next
    const isKept = new Set([...kept.values()].map(({ supervised }) => supervised))
    const limit = this.#startLimit(halt)
    await startGraph(next, async (supervised) => {
      if (!halt.aborted && !isKept.has(supervised)) await supervised.startSupervised(limit.signal)
    })
    limit.cancel()
  }

  /** Lets the sinks empty memory channels that the next configuration does not have. */
  async #drain(going: readonly ChannelNode[], halt: AbortSignal): Promise<void> {
    const { clock } = this.#tools
    const untilMs = clock.monotonic() + this.#replaceTimeoutMs
    const holdsEvents = ({ channel }: ChannelNode) => !channel.isDurable && channel.size.events > 0
    while (going.some(holdsEvents) && clock.monotonic() < untilMs && !halt.aborted) {
      await delay(DRAIN_CHECK_MS, { clock })
    }
  }
}

/** Starts channels, then sinks and what drives them, then sources. */
async function startGraph(
  graph: Graph,
  start: (supervised: Supervised) => Promise<void>,
): Promise<void> {
  await Promise.all([...graph.channels.values()].map((node) => start(node.supervised)))
  await Promise.all(graph.sinks.map((node) => start(node.supervised)))
  for (const runner of graph.runners) runner.start()
  await Promise.all(graph.sources.map((node) => start(node.supervised)))
}

function allOf(graph: Graph): Supervised[] {
  const nodes = [...graph.channels.values(), ...graph.sinks, ...graph.sources]
  return nodes.map(({ supervised }) => supervised)
}

/** The channels that stay: same name, same type, and able to take new options. */
function keptChannels(graph: Graph, configuration: AgentConfiguration): Map<string, ChannelNode> {
  const kept = new Map<string, ChannelNode>()
  for (const { name, definition, options } of configuration.channels) {
    const node = graph.channels.get(name)
    if (node?.configuration.definition !== definition || !node.channel.reconfigure) continue
    if (node.channel.canReconfigure?.(options) !== false) kept.set(name, node)
  }
  return kept
}

function undelivered(graph: Graph): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const [name, { channel }] of graph.channels) {
    const { events } = channel.size
    if (!channel.isDurable && events > 0) counts[name] = events
  }
  return counts
}

function refusal(full: readonly ChannelNode[]): string {
  const held = full.map(({ configuration, channel }) => {
    return `channel ${configuration.name} still holds ${channel.size.events} events`
  })
  return `The new configuration does without a channel that is not empty, so the old one stays: ${held.join(', ')}`
}
