/** From one running graph to the next: what both have goes on, and only the rest stops and starts. */
import { type Clock, delay, LifecycleError, type Logger } from '@millrace/runtime'
import type { ChannelNode, Graph, SourceNode } from './graph.js'
import { startGraph } from './start-graph.js'
import { stopSinks } from './stop-graph.js'
import type { Supervised } from './supervised.js'

/** How often a channel that is to go is looked at, in milliseconds. */
const DRAIN_CHECK_MS = 20

/** What a reload did, as `source r1`, `channel c1`, `sink k1`. */
export interface ReloadReport {
  /** Running as before, untouched. */
  readonly kept: readonly string[]
  /** Sources that went on, with new interceptors, another selector or other channels. */
  readonly rerouted: readonly string[]
  /** Stopped and started with other settings. */
  readonly restarted: readonly string[]
  readonly started: readonly string[]
  readonly stopped: readonly string[]
}

export interface GraphReplacementOptions {
  readonly running: Graph
  /** Made from `running`, so that it holds the same objects where nothing has changed. */
  readonly next: Graph
  /** For the stop of what goes, and for memory channels that go to become empty, in milliseconds. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly logger: Logger
  /** Aborted when the agent is stopped meanwhile. */
  readonly halt: AbortSignal
}

export class GraphReplacement {
  readonly #options: GraphReplacementOptions
  /** Sources that go on and whose events are to take another way. */
  readonly #rerouted: readonly SourceNode[]
  readonly #going: {
    readonly channels: readonly ChannelNode[]
    readonly sources: readonly SourceNode[]
    readonly sinks: Graph['sinks']
    readonly runners: Graph['runners']
  }
  readonly #staying: ReadonlySet<unknown>

  constructor(options: GraphReplacementOptions) {
    const { running, next } = options
    this.#options = options
    this.#rerouted = next.sources.filter(({ nextPath }) => nextPath !== undefined)
    const isNext = new Set<unknown>([...supervisedOf(next), ...next.runners.map((e) => e.runner)])
    const isGoing = ({ supervised }: { readonly supervised: Supervised }) => !isNext.has(supervised)
    this.#going = {
      channels: [...running.channels.values()].filter(isGoing),
      sources: running.sources.filter(isGoing),
      sinks: running.sinks.filter(isGoing),
      runners: running.runners.filter(({ runner }) => !isNext.has(runner)),
    }
    const all = [...supervisedOf(running), ...running.runners.map((e) => e.runner)]
    this.#staying = new Set(all.filter((each) => isNext.has(each)))
  }

  /**
   * Stops what the next graph does not have. Afterwards {@link GraphReplacement.bringUp} must follow.
   * @throws LifecycleError when a memory channel that is to go cannot be emptied; everything runs on as before then.
   */
  async takeDown(): Promise<void> {
    const { timeoutMs: deadlineMs, halt, clock } = this.#options
    const { channels, sources } = this.#going
    await Promise.all([
      ...sources.map(({ supervised }) => supervised.stop({ deadlineMs })),
      ...this.#rerouted.map(({ part }) => part.pause({ deadlineMs })),
    ])
    await this.#drain()
    if (halt.aborted) return
    const full = channels.filter(holdsEvents)
    if (full.length > 0) {
      this.release()
      await Promise.all(sources.map(({ supervised }) => supervised.startSupervised(halt)))
      throw new LifecycleError('MILLRACE_LIFECYCLE_STATE', refusal(full))
    }
    await stopSinks(this.#going, { deadlineMs, drains: false, clock })
    await Promise.all(channels.map(({ supervised }) => supervised.stop({ deadlineMs })))
  }

  /** Starts what is new. What does not start by the time the signal is aborted is tried again for ever. */
  async bringUp(limit: AbortSignal): Promise<ReloadReport> {
    const { running, next, halt } = this.#options
    for (const { channel, configuration } of next.channels.values()) {
      const old = running.channels.get(configuration.name)
      if (old?.channel !== channel || old.configuration.options === configuration.options) continue
      channel.reconfigure?.(configuration.options)
    }
    await startGraph(next, {
      start: async (supervised) => {
        if (!halt.aborted && !this.#staying.has(supervised)) await supervised.startSupervised(limit)
      },
      beforeSources: async () => {
        if (!halt.aborted)
          await Promise.all(this.#rerouted.map((each) => this.#reroute(each, limit)))
        this.release()
      },
    })
    return this.#report()
  }

  /** Lets sources that were held up go on. */
  release(): void {
    for (const { part } of this.#rerouted) part.resume()
  }

  /** A source that does not run, or whose new interceptors do not start, is started anew as a whole. */
  async #reroute({ name, part, supervised, nextPath }: SourceNode, limit: AbortSignal) {
    const { timeoutMs: deadlineMs, logger } = this.#options
    if (nextPath === undefined) return
    const isRunning = supervised.state === 'running'
    if (!isRunning) await supervised.stop({ deadlineMs })
    try {
      await part.reroute(nextPath, { deadlineMs })
      if (isRunning) return
    } catch (error) {
      logger.error(
        `the new interceptors of source ${name} did not start; it is started anew`,
        error,
      )
      await supervised.stop({ deadlineMs })
    }
    await supervised.startSupervised(limit)
  }

  /** Lets the sinks empty memory channels that the next configuration does not have. */
  async #drain(): Promise<void> {
    const { clock, timeoutMs, halt } = this.#options
    const untilMs = clock.monotonic() + timeoutMs
    const { channels } = this.#going
    while (channels.some(holdsEvents) && clock.monotonic() < untilMs && !halt.aborted) {
      await delay(DRAIN_CHECK_MS, { clock })
    }
  }

  #report(): ReloadReport {
    const { running, next } = this.#options
    const before = new Set(supervisedOf(running).map(({ name }) => name))
    const after = new Set(supervisedOf(next).map(({ name }) => name))
    const rerouted = this.#rerouted.map(({ supervised }) => supervised.name)
    const report: Record<'kept' | 'restarted' | 'started', string[]> = {
      kept: [],
      restarted: [],
      started: [],
    }
    for (const supervised of supervisedOf(next)) {
      const { name } = supervised
      if (rerouted.includes(name)) continue
      if (this.#staying.has(supervised)) report.kept.push(name)
      else if (before.has(name)) report.restarted.push(name)
      else report.started.push(name)
    }
    return { ...report, rerouted, stopped: [...before].filter((name) => !after.has(name)) }
  }
}

export function supervisedOf(graph: Graph): Supervised[] {
  const nodes = [...graph.channels.values(), ...graph.sinks, ...graph.sources]
  return nodes.map(({ supervised }) => supervised)
}

const holdsEvents = ({ channel }: ChannelNode): boolean =>
  !channel.isDurable && channel.size.events > 0

function refusal(full: readonly ChannelNode[]): string {
  const held = full.map(({ configuration, channel }) => {
    return `channel ${configuration.name} still holds ${channel.size.events} events`
  })
  return `The new configuration does without a channel that is not empty, so the old one stays: ${held.join(', ')}`
}
