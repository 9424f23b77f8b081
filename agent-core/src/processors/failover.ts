/** Uses the sink of the highest priority that works. */
import {
  defineSinkProcessor,
  option,
  type Outcome,
  type Problem,
  type SinkHandle,
  type SinkProcessor,
} from '@millrace/component'
import { type Clock, EventDeliveryError, type Logger } from '@millrace/runtime'

export const failoverProcessor = defineSinkProcessor({
  alias: 'failover',
  classNames: ['org.apache.flume.sink.FailoverSinkProcessor'],
  summary: 'Uses the working sink of the highest priority.',
  options: {
    priorities: option.intMap('processor.priority.<sinkName>', {
      description:
        'Priority of a sink: the highest works. Sinks without one come last, in the order of the list.',
    }),
    maxPenaltyMs: option.duration('processor.maxpenalty', {
      description: 'Longest time that a failed sink is left alone.',
      unit: 'ms',
      default: 30_000,
    }),
  },
  check({ priorities }, { sinks }) {
    const problems: Problem[] = []
    const owners = new Map<number, string>()
    for (const [name, priority] of Object.entries(priorities)) {
      const key = `processor.priority.${name}`
      if (!sinks.includes(name)) {
        const message = `${name} is not a sink of the group`
        problems.push({ key, message, code: 'MILLRACE_CONFIG_UNKNOWN_NAME', severity: 'warning' })
        continue
      }
      const owner = owners.get(priority)
      owners.set(priority, owner ?? name)
      if (owner === undefined) continue
      const message = `${priority} is the priority of ${owner} too; the sink listed first goes first`
      problems.push({ key, message, severity: 'warning' })
    }
    return problems
  },
  create: ({ sinks, options, clock, logger }) =>
    new FailoverSinkProcessor({ sinks, ...options, clock, logger }),
})

export interface FailoverOptions {
  readonly sinks: readonly SinkHandle[]
  readonly priorities: Readonly<Record<string, number>>
  readonly maxPenaltyMs: number
  readonly clock: Clock
  readonly logger: Logger
}

interface FailedSink {
  readonly sink: SinkHandle
  fails: number
  /** When it may be tried again, on the monotonic clock. */
  refreshMs: number
}

/**
 * Flume's rules: a sink that fails is left alone, for min(maxpenalty, 1000 × 2^n) ms after its n-th
 * failed trial; when its time is up it is tried before the others, and works again as soon as it
 * has written something. The power is not computed in 32 bits as there, where it wraps round.
 */
export class FailoverSinkProcessor implements SinkProcessor {
  readonly #options: FailoverOptions
  /** All sinks, the preferred one first. */
  readonly #ranking: readonly SinkHandle[]
  readonly #live: Set<SinkHandle>
  #failed: FailedSink[] = []

  constructor(options: FailoverOptions) {
    this.#options = options
    this.#ranking = rank(options.sinks, options.priorities)
    this.#live = new Set(this.#ranking)
  }

  async process(
    attempt: (sink: SinkHandle) => Promise<Outcome>,
    signal: AbortSignal,
  ): Promise<Outcome> {
    return (await this.#tryFailed(attempt, signal)) ?? (await this.#tryLive(attempt, signal))
  }

  async #tryFailed(
    attempt: (sink: SinkHandle) => Promise<Outcome>,
    signal: AbortSignal,
  ): Promise<Outcome | undefined> {
    const nowMs = this.#options.clock.monotonic()
    for (const failed of this.#due(nowMs)) {
      try {
        const outcome = await attempt(failed.sink)
        if (outcome === 'ready') {
          this.#failed = this.#failed.filter((each) => each !== failed)
          this.#live.add(failed.sink)
          this.#options.logger.info(`sink ${failed.sink.name} works again`)
        }
        return outcome
      } catch (error) {
        if (signal.aborted) throw error
        failed.fails += 1
        failed.refreshMs = nowMs + this.#penaltyMs(failed.fails)
        this.#options.logger.debug(`sink ${failed.sink.name} still fails`, error)
      }
    }
    return undefined
  }

  async #tryLive(
    attempt: (sink: SinkHandle) => Promise<Outcome>,
    signal: AbortSignal,
  ): Promise<Outcome> {
    let cause: unknown
    for (const sink of this.#ranking) {
      if (!this.#live.has(sink)) continue
      try {
        return await attempt(sink)
      } catch (error) {
        if (signal.aborted) throw error
        cause = error
        this.#live.delete(sink)
        const refreshMs = this.#options.clock.monotonic() + this.#penaltyMs(1)
        this.#failed.push({ sink, fails: 1, refreshMs })
        this.#options.logger.warn(`sink ${sink.name} failed; the next one takes over`, error)
      }
    }
    throw new EventDeliveryError('MILLRACE_DELIVERY_FAILED', 'All sinks of the group failed', {
      cause,
    })
  }

  /** The failed sinks whose time is up, the one that waits longest first. */
  #due(nowMs: number): FailedSink[] {
    return this.#failed
      .filter(({ refreshMs }) => refreshMs < nowMs)
      .sort((a, b) => a.refreshMs - b.refreshMs)
  }

  #penaltyMs(fails: number): number {
    return Math.min(this.#options.maxPenaltyMs, 1_000 * 2 ** fails)
  }
}

function rank(
  sinks: readonly SinkHandle[],
  priorities: Readonly<Record<string, number>>,
): readonly SinkHandle[] {
  let next = -1
  const given = new Map(Object.entries(priorities))
  const ranked = sinks.map((sink) => ({ sink, priority: given.get(sink.name) ?? next-- }))
  return ranked.sort((a, b) => b.priority - a.priority).map(({ sink }) => sink)
}
