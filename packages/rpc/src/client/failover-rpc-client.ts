import type { AvroRpcClient } from './avro-rpc-client.js'
import { clientOf, Delivery, type SeveralHostsOptions } from './host-client.js'
import { formatHostAddress } from './host-list.js'
import type { RpcCallOptions, RpcClient } from './rpc-client.js'
import { Turns } from './turns.js'
import type { EventBatch } from '@millrace/event'
import {
  type Logger,
  MillraceError,
  OptionError,
  RpcError,
  silentLogger,
  throwIfAborted,
} from '@millrace/runtime'

export interface FailoverRpcClientOptions extends SeveralHostsOptions {
  /** Sends of one call at most. Default: the number of hosts. */
  readonly maxAttempts?: number | undefined
}

/**
 * Flume's FailoverRpcClient: stays with a host while it works, and goes on to the next in the list
 * after a failure, wrapping round, without a delay. A host that can't be connected costs no attempt;
 * when none can, the call fails at once. The next call begins anew.
 */
export class FailoverRpcClient implements RpcClient {
  readonly #options: FailoverRpcClientOptions
  readonly #logger: Logger
  readonly #turns = new Turns()
  #client: AvroRpcClient | undefined
  /** Index of the host that was connected last; none: begin with the first. */
  #lastIndex = -1
  #isClosed = false

  /** @throws OptionError when there is no host. */
  constructor(options: FailoverRpcClientOptions) {
    if (options.hosts.length === 0) throw new OptionError('There must be at least one host')
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
    await this.#client?.close()
  }

  #deliver(delivery: Delivery, { signal }: RpcCallOptions): Promise<void> {
    return this.#turns.run(async () => {
      const attempts = this.#options.maxAttempts ?? this.#options.hosts.length
      let failure: unknown
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        const client = await this.#activeClient(signal)
        try {
          await delivery.sendTo(client, signal)
          return
        } catch (error) {
          throwUnlessFailure(error)
          failure = error
          this.#logger.warn('call failed, going on to the next host', error)
          await client.close()
        }
      }
      const text = `Failed to send the events in ${attempts} attempts`
      throw new RpcError('MILLRACE_RPC_NO_HOST', text, { cause: failure })
    }, signal)
  }

  async #activeClient(signal: AbortSignal | undefined): Promise<AvroRpcClient> {
    if (this.#client?.isActive) return this.#client
    const { hosts } = this.#options
    const failures: unknown[] = []
    for (let step = 1; step <= hosts.length; step += 1) {
      this.#throwIfClosed()
      throwIfAborted(signal)
      const index = (this.#lastIndex + step) % hosts.length
      const address = hosts[index]
      if (!address) continue
      const client = clientOf(address, this.#options)
      this.#client = client
      try {
        await client.connect({ signal })
        this.#lastIndex = index
        return client
      } catch (error) {
        throwUnlessFailure(error)
        failures.push(error)
        this.#logger.info(`could not connect to ${formatHostAddress(address)}`, error)
      }
    }
    this.#lastIndex = -1
    throw new RpcError('MILLRACE_RPC_NO_HOST', 'None of the hosts can be connected', {
      cause: new AggregateError(failures),
    })
  }

  #throwIfClosed(): void {
    if (this.#isClosed) throw new RpcError('MILLRACE_RPC_CLOSED', 'The client is closed')
  }
}

/** Only what a host did is a reason to try another one: not the caller's abort, nor a mistake in its call. */
export function throwUnlessFailure(error: unknown): void {
  if (MillraceError.is(error) && error.code.startsWith('MILLRACE_RPC_')) return
  throw error
}
