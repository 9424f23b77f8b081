/** Spreads the rounds of a group over its sinks. */
import {
  defineSinkProcessor,
  option,
  type Outcome,
  type SinkHandle,
  type SinkProcessor,
} from '@millrace/component'
import {
  DEFAULT_MAX_BACKOFF_MS,
  EventDeliveryError,
  type Logger,
  type OrderSelector,
  RandomOrderSelector,
  RoundRobinOrderSelector,
} from '@millrace/runtime'

export const loadBalanceProcessor = defineSinkProcessor({
  alias: 'load_balance',
  classNames: ['org.apache.flume.sink.LoadBalancingSinkProcessor'],
  summary: 'Spreads events over the sinks of a group.',
  options: {
    backoff: option.bool('processor.backoff', {
      description: 'Whether a failing sink is left out for a growing time.',
      default: false,
    }),
    selector: option.enum('processor.selector', ['ROUND_ROBIN', 'RANDOM'], {
      description: 'The order in which the sinks are tried.',
      default: 'ROUND_ROBIN',
      shownType: 'string',
      refused: {
        values: [],
        classNames: true,
        reason: 'is not supported: sinks are tried in the order ROUND_ROBIN or RANDOM',
      },
    }),
    maxTimeOutMs: option.duration('processor.selector.maxTimeOut', {
      description: 'Longest time that a failing sink is left out; 0 stands for the default.',
      unit: 'ms',
      default: DEFAULT_MAX_BACKOFF_MS,
    }),
  },
  check(_options, { sinks }) {
    if (sinks.length > 1) return []
    return [{ key: 'processor.type', message: 'load_balance needs at least two sinks' }]
  },
  create({ sinks, options, clock, random, logger }) {
    const Selector = options.selector === 'RANDOM' ? RandomOrderSelector : RoundRobinOrderSelector
    const order = new Selector(sinks, {
      backoff: options.backoff,
      maxBackoffMs: options.maxTimeOutMs,
      clock,
      random,
    })
    return new LoadBalancingSinkProcessor(order, logger)
  },
})

/** Each round goes to the first sink, in the selector's order, that does not fail. */
export class LoadBalancingSinkProcessor implements SinkProcessor {
  readonly #order: OrderSelector<SinkHandle>
  readonly #logger: Logger

  constructor(order: OrderSelector<SinkHandle>, logger: Logger) {
    this.#order = order
    this.#logger = logger
  }

  async process(
    attempt: (sink: SinkHandle) => Promise<Outcome>,
    signal: AbortSignal,
  ): Promise<Outcome> {
    let cause: unknown
    for (const sink of this.#order.order()) {
      try {
        return await attempt(sink)
      } catch (error) {
        if (signal.aborted) throw error
        cause = error
        this.#order.informFailure(sink)
        this.#logger.debug(`sink ${sink.name} failed; the next one is tried`, error)
      }
    }
    const message =
      cause === undefined
        ? 'All sinks of the group are left out for now'
        : 'All sinks of the group failed'
    throw new EventDeliveryError('MILLRACE_DELIVERY_FAILED', message, { cause })
  }
}
