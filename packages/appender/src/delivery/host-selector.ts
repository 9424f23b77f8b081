import type { Random } from '@millrace/runtime'
import type { Strategy } from '../options/appender-options.js'
import type { Host } from './host.js'

/** Chooses the host of the next batch among some of all hosts, which come in the order of priority. */
export type HostSelector = (candidates: readonly Host[]) => Host | undefined

/** @param hosts all hosts in the order of priority. */
export function hostSelector(
  strategy: Strategy,
  hosts: readonly Host[],
  random: Random,
): HostSelector {
  switch (strategy) {
    case 'round_robin':
      return roundRobin(hosts)
    case 'random':
      return (candidates) => candidates[Math.floor(random() * candidates.length)]
    case 'weighted':
      return weighted()
    case 'least_pending':
      return leastPending(hosts)
    case 'failover':
      return (candidates) => candidates[0]
  }
}

/** The next candidate after the one before, over all hosts: one that is out skips its turn. */
function roundRobin(hosts: readonly Host[]): HostSelector {
  let next = 0
  return (candidates) => {
    for (let i = 0; i < hosts.length; i += 1) {
      const host = hosts[(next + i) % hosts.length]
      if (!host || !candidates.includes(host)) continue
      next = (next + i + 1) % hosts.length
      return host
    }
    return undefined
  }
}

/**
 * Smooth weighted round robin, as nginx does it: each turn every candidate gains its weight, the
 * richest is chosen and pays the sum. Of weights 5, 1, 1 it makes a a b a c a a, not a a a a a b c.
 */
function weighted(): HostSelector {
  const credits = new Map<Host, number>()
  return (candidates) => {
    let sum = 0
    let best: Host | undefined
    let bestCredit = Number.NEGATIVE_INFINITY
    for (const host of candidates) {
      const credit = (credits.get(host) ?? 0) + host.weight
      credits.set(host, credit)
      sum += host.weight
      if (credit > bestCredit) {
        best = host
        bestCredit = credit
      }
    }
    if (best) credits.set(best, bestCredit - sum)
    return best
  }
}

/** The host with the fewest batches on the way; among equals they take turns. */
function leastPending(hosts: readonly Host[]): HostSelector {
  const turn = roundRobin(hosts)
  return (candidates) => {
    const least = Math.min(...candidates.map((host) => host.pending))
    return turn(candidates.filter((host) => host.pending === least))
  }
}
