import type { EventBatch } from '@millrace/event'

/** What a handler learns about where a call came from. */
export interface CallContext {
  /** The peer's address, without its port. */
  readonly remoteAddress: string
  /** Aborted when the connection is lost or the server is closed by force: nobody will get the answer. */
  readonly signal: AbortSignal
}

/**
 * Takes the events of calls. Calls of one connection are begun in the order of their arrival without
 * waiting for each other, and answered in that order. A resolved promise is answered OK, and nothing
 * else is: what the peer reads as OK the handler has stored.
 *
 * A rejection with a ChannelError is answered FAILED. Any other is FAILED for `appendBatch` and a
 * system error with the error's text for `append`, as Flume does.
 */
export interface AvroRpcHandler {
  append(batch: EventBatch, call: CallContext): Promise<void>
  appendBatch(batch: EventBatch, call: CallContext): Promise<void>
}
