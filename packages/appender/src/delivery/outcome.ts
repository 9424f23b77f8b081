import { MillraceError } from '@millrace/runtime'
import type { RpcOutcome } from '../appender-state.js'

/**
 * What a failed call says about the batch. `refused`: the receiver answered, and the answer was no.
 * `oversize`: it cannot be sent at all. `unknown`: it may have arrived.
 */
export type Failure = 'refused' | 'oversize' | 'unknown'

export function failureOf(error: unknown): Failure {
  if (!MillraceError.is(error)) return 'unknown'
  if (error.code === 'MILLRACE_RPC_REMOTE_FAILED') return 'refused'
  return error.code === 'MILLRACE_RPC_FRAME_TOO_LARGE' ? 'oversize' : 'unknown'
}

/** The counter that a failed call moves. */
export function rpcOutcomeOf(error: unknown): RpcOutcome {
  if (!MillraceError.is(error)) return 'error'
  if (error.code === 'MILLRACE_RPC_REMOTE_FAILED') return 'failed'
  return error.code === 'MILLRACE_RPC_TIMEOUT' ? 'timeout' : 'error'
}
