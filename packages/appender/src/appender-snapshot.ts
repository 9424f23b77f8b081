import type { AppenderSpool } from './appender-spool.js'
import { type AppenderState, DROP_REASONS, type DropReason } from './appender-state.js'
import type { DeliveryContext } from './delivery/batch-delivery.js'
import type { Lane } from './delivery/lane.js'
import type { Ledger } from './delivery/ledger.js'

export interface SnapshotParts extends DeliveryContext {
  readonly lanes: readonly Lane[]
  readonly spooling: AppenderSpool | undefined
  readonly isClosed: boolean
}

type Sums = Pick<
  AppenderState,
  'delivered' | 'deadLettered' | 'dropped' | 'queued' | 'spooled' | 'inFlight' | 'resent' | 'split'
>

/** What an appender's parts know, together. */
export function snapshot(parts: SnapshotParts): AppenderState {
  const { ledger, pool, statistics, lanes, spooling, isClosed } = parts
  const hosts = pool.states()
  const successes = hosts.flatMap((host) => host.lastSuccessAt ?? [])
  const sums = sumOf(ledger, spooling?.recovered)
  let bytes = 0
  for (const { queue, suspects } of lanes) bytes += queue.bytes + suspects.waitingBytes
  return {
    accepted: ledger.accepted,
    recovered: spooling?.recovered.accepted ?? 0,
    ...sums,
    queue: {
      events: sums.queued,
      bytes,
      oldestAgeMs: Math.max(0, ...lanes.map((lane) => lane.oldestAgeMs)),
    },
    spool: spooling?.spools.state(),
    rpc: { ...statistics.outcomes },
    rpcLatencyMs: statistics.latency(),
    hosts,
    lastSuccessAt: successes.length === 0 ? undefined : Math.max(...successes),
    isClosed,
  }
}

function sumOf(own: Ledger, recovered: Ledger | undefined): Sums {
  const dropped = DROP_REASONS.map((reason) => [
    reason,
    own.dropped[reason] + (recovered?.dropped[reason] ?? 0),
  ])
  return {
    delivered: own.delivered + (recovered?.delivered ?? 0),
    deadLettered: own.deadLettered + (recovered?.deadLettered ?? 0),
    dropped: Object.fromEntries(dropped) as Record<DropReason, number>,
    queued: own.queued + (recovered?.queued ?? 0),
    spooled: own.spooled + (recovered?.spooled ?? 0),
    inFlight: own.inFlight + (recovered?.inFlight ?? 0),
    resent: own.resent + (recovered?.resent ?? 0),
    split: own.split + (recovered?.split ?? 0),
  }
}
