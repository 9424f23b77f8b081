import type { EventBatch } from '@millrace/event'

export interface RpcCallOptions {
  /** Gives the call up; its outcome is then unknown. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Hands events to an agent (Flume's RpcClient). A call resolves when the agent answered OK: the events
 * are in its channel. After a rejection they may be there or not; whoever needs them there sends them
 * again, and they may arrive twice.
 */
export interface RpcClient {
  /**
   * Sends a batch of exactly one event as `append`.
   * @throws RpcError with its code and `retryable`; AbortError when the signal gave the call up.
   */
  append(batch: EventBatch, options?: RpcCallOptions): Promise<void>
  /**
   * Sends events as `appendBatch`. More than the batch size go in several calls, one behind the
   * other: those answered before a failure stay delivered. An empty batch sends nothing.
   * @throws as {@link RpcClient.append}
   */
  appendBatch(batch: EventBatch, options?: RpcCallOptions): Promise<void>
  /** Gives up what is unanswered and closes. May be called twice. */
  close(): Promise<void>
  /** False after {@link RpcClient.close}, and once the client can't be used any more. */
  readonly isActive: boolean
}
