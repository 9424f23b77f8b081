import type { AvroRpcClient } from './avro-rpc-client.js'
import { throwUnlessFailure } from './failover-rpc-client.js'
import { clientOf, Delivery, type SeveralHostsOptions } from './host-client.js'
import { formatHostAddress, type HostAddress } from './host-list.js'
import type { RpcCallOptions, RpcClient } from './rpc-client.js'
import { Turns } from './turns.js'
import type { EventBatch } from '@millrace/event'
import {
  type Logger,
  OptionError,
  type OrderSelector,
  type Random,
  RandomOrderSelector,
  RoundRobinOrderSelector,
  RpcError,
  silentLogger,
  systemClock,
  throwIfAborted,
} from '@millrace/runtime'

export interface LoadBalancingRpcClientOptions extends SeveralHostsOptions {
  /** Default round_robin. */
  readonly hostSelector?: 'round_robin' | 'random' | undefined
  /** Whether a failing host is left out for a growing time. Default false. */
  readonly backoff?: boolean | undefined
  /** Ceiling of that time in milliseconds; 0 means 30,000. */
  readonly maxBackoffMs?: number | undefined
  readonly random?: Random | undefined
}

/**
 * Flume's LoadBalancingRpcClient: each call begins at another host and walks on until one takes it.
 * A connection is made when its host's turn comes, kept while it works, and made anew after a failure.
 */
export class LoadBalancingRpcClient implements RpcClient {
  readonly #options: LoadBalancingRpcClientOptions
  readonly #selector: OrderSelector<HostAddress>
  readonly #logger: Logger
  readonly #clients = new Map<HostAddress, AvroRpcClient>()
  readonly #turns = new Turns()
  #isClosed = false

  /** @throws OptionError when there are fewer than two hosts. */
  constructor(options: LoadBalancingRpcClientOptions) {
    if (options.hosts.length < 2) {
      throw new OptionError('A load-balancing client needs at least two hosts')
    }
    const { hostSelector, backoff = false, maxBackoffMs = 0, clock = systemClock, random } = options
    const Selector = hostSelector === 'random' ? RandomOrderSelector : RoundRobinOrderSelector
    this.#selector = new Selector(options.hosts, {
      backoff,
      maxBackoffMs,
      clock,
      ...(random ? { random } : {}),
    })
    this.#options = options
    this.#logger = options.logger ?? silentLogger
  }

  get isActive(): boolean {
    return !this.#isClosed
  }

  append(batch: EventBatch, options: RpcCallOptions = {}): Promise<void> {
    return this.#deliver(new Delivery('append', batch), options)
  }

  appendBatch(batch: EventBatch, options: RpcCallOptions = {}): Promise<void> {
    if (batch.size === 0) return Promise.resolve()
    return this.#deliver(new Delivery('appendBatch', batch), options)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#clients.values()].map((client) => client.close()))
  }

  #deliver(delivery: Delivery, { signal }: RpcCallOptions): Promise<void> {
    return this.#turns.run(async () => {
      const failures: unknown[] = []
      for (const address of this.#selector.order()) {
        if (this.#isClosed) throw new RpcError('MILLRACE_RPC_CLOSED', 'The client is closed')
        throwIfAborted(signal)
        const client = this.#clientOf(address)
        try {
          await delivery.sendTo(client, signal)
          return
        } catch (error) {
          throwUnlessFailure(error)
          failures.push(error)
          this.#selector.informFailure(address)
          this.#logger.warn(`call to ${formatHostAddress(address)} failed`, error)
          this.#clients.delete(address)
          await client.close()
        }
      }
      const text = failures.length > 0 ? 'No host took the events' : 'All hosts are backing off'
      throw new RpcError('MILLRACE_RPC_NO_HOST', text, { cause: new AggregateError(failures) })
    }, signal)
  }

  #clientOf(address: HostAddress): AvroRpcClient {
    const present = this.#clients.get(address)
    if (present?.isActive) return present
    const client = clientOf(address, this.#options)
    this.#clients.set(address, client)
    return client
  }
}
