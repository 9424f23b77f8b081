import type { EventBatch } from '@millrace/event'
import type { HostAddress } from '../options/hosts.js'

/** A connection to one receiver. One call at a time; after a failure it is dead for good. */
export interface ReceiverConnection {
  /**
   * Resolves when the receiver acknowledged the whole batch.
   * @throws RpcError: `MILLRACE_RPC_REMOTE_FAILED` when the receiver refused it, any other code when
   * the outcome is unknown.
   */
  appendBatch(batch: EventBatch): Promise<void>
  close(): Promise<void>
  readonly isActive: boolean
}

/**
 * Opens a connection; the name is resolved anew each time. It must not keep the process alive.
 * @throws any error when there is none.
 */
export type ConnectReceiver = (
  address: HostAddress,
  options: { readonly signal: AbortSignal },
) => Promise<ReceiverConnection>
