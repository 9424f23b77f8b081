/** The agent: sources, channels and sinks of one configuration, kept running. */
import type { AgentHealth, AgentHistogram } from '@millrace/component'
import {
  type Clock,
  LifecycleError,
  type Logger,
  type Random,
  systemClock,
  withDeadline,
} from '@millrace/runtime'
import { assemble, type AssemblyTools } from './assembly/assemble.js'
import type { Graph } from './assembly/graph.js'
import { GraphReplacement, type ReloadReport, supervisedOf } from './assembly/replace-graph.js'
import { startGraph } from './assembly/start-graph.js'
import { stopGraph } from './assembly/stop-graph.js'
import type { AgentConfiguration } from './configuration/agent-configuration.js'
import { histogramsOf, type Metrics, metricsOf } from './monitoring/metrics.js'
import type { OnBytes } from './processing/on-bytes.js'

const DEFAULT_START_TIMEOUT_MS = 30_000
const DEFAULT_REPLACE_TIMEOUT_MS = 10_000

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
  /** Told the bytes of each batch that comes or goes: for who manages the process's memory. */
  readonly onBytes?: OnBytes
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
   * Replaces the configuration. A component whose settings are the same goes on, its connections and
   * counters included; so does a source of which only interceptors, selector or channels change, and
   * a channel that can take its new options. A memory channel that is to go is drained first; when it
   * does not become empty in `replaceTimeoutMs`, the old configuration goes on. Components that fail
   * to start are tried again for ever.
   * @throws LifecycleError when the agent does not run or a channel cannot be drained; what a
   *   component's `create` throws. The old configuration runs on then.
   */
  async reload(configuration: AgentConfiguration): Promise<ReloadReport> {
    if (this.#state !== 'ready') {
      throw new LifecycleError('MILLRACE_LIFECYCLE_STATE', `The agent is ${this.#state}`)
    }
    const reloading = this.#operation.then(() => this.#replace(configuration))
    this.#operation = reloading.then(
      () => undefined,
      () => undefined,
    )
    return reloading
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

  /** How long events were in their channels, and how old they were when they were delivered. */
  histograms(): AgentHistogram[] {
    return this.#graph ? histogramsOf(this.#graph) : []
  }

  /** Whether the agent has started and every component runs. */
  health(): AgentHealth {
    const components: Record<string, string> = {}
    let isWell = true
    let isReady = this.#state === 'ready'
    for (const { name, state } of this.#graph ? supervisedOf(this.#graph) : []) {
      components[name] = state
      if (state === 'running') continue
      isWell = false
      if (!name.startsWith('sink ')) isReady = false
    }
    if (this.#state === 'ready') return { status: isWell ? 'ok' : 'degraded', isReady, components }
    return { status: this.#state === 'starting' ? 'starting' : 'stopped', isReady, components }
  }

  async #startWithin(graph: Graph, halt: AbortSignal): Promise<void> {
    const limit = this.#startLimit(halt)
    try {
      await startGraph(graph, { start: (supervised) => supervised.start(limit.signal) })
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

  async #replace(configuration: AgentConfiguration): Promise<ReloadReport> {
    const running = this.#graph
    const halt = this.#halt.signal
    if (!running || halt.aborted) {
      throw new LifecycleError('MILLRACE_LIFECYCLE_STATE', 'The agent is being stopped')
    }
    const { clock, logger } = this.#tools
    const next = assemble(configuration, this.#tools, running)
    const timeoutMs = this.#replaceTimeoutMs
    const options = { running, next, timeoutMs, clock, logger, halt }
    const replacement = new GraphReplacement(options)
    const limit = this.#startLimit(halt)
    try {
      await replacement.takeDown()
      if (halt.aborted) {
        throw new LifecycleError('MILLRACE_LIFECYCLE_STATE', 'The agent is being stopped')
      }
      this.#graph = next
      return await replacement.bringUp(limit.signal)
    } finally {
      replacement.release()
      limit.cancel()
    }
  }
}

function undelivered(graph: Graph): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const [name, { channel }] of graph.channels) {
    const { events } = channel.size
    if (!channel.isDurable && events > 0) counts[name] = events
  }
  return counts
}
