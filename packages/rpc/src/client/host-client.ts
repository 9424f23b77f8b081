import { AvroRpcClient, type AvroRpcClientOptions } from './avro-rpc-client.js'
import type { HostAddress } from './host-list.js'
import type { EventBatch } from '@millrace/event'

/** What clients of several hosts share with the client of one. */
export interface SeveralHostsOptions extends Omit<AvroRpcClientOptions, 'host' | 'port'> {
  readonly hosts: readonly HostAddress[]
}

/** A client of one of several hosts. */
export function clientOf(address: HostAddress, options: SeveralHostsOptions): AvroRpcClient {
  const { hosts: _, ...shared } = options
  return new AvroRpcClient({ ...shared, ...address })
}

/**
 * A call on its way over several hosts: what is still to be sent of it. What one host has
 * acknowledged is not sent again to the next, though Flume does.
 */
export class Delivery {
  readonly #name: 'append' | 'appendBatch'
  readonly #batch: EventBatch
  #sent = 0

  constructor(name: 'append' | 'appendBatch', batch: EventBatch) {
    this.#name = name
    this.#batch = batch
  }

  /** Sends the rest to one host, in calls of its batch size. */
  async sendTo(client: AvroRpcClient, signal: AbortSignal | undefined): Promise<void> {
    if (this.#name === 'append') return client.append(this.#batch, { signal })
    while (this.#sent < this.#batch.size) {
      const end = Math.min(this.#sent + client.batchSize, this.#batch.size)
      await client.appendBatch(this.#batch.slice(this.#sent, end), { signal })
      this.#sent = end
    }
  }
}
