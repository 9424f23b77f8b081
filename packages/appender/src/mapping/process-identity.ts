import { hostname, networkInterfaces } from 'node:os'
import { isMainThread, threadId } from 'node:worker_threads'
import type { MapperSettings } from './mapping-options.js'

/** What stays the same for all events of one process. */
export interface ProcessIdentity {
  readonly host: string
  readonly address: string
  readonly pid: number
  /** Cluster worker or worker thread, as `cluster-1` or `thread-2`; undefined in the main one. */
  readonly worker: string | undefined
}

/** The identity of this process; the options go before what is `given`, and that before what is found. */
export function processIdentity(
  settings: MapperSettings,
  given: Partial<ProcessIdentity> = {},
): ProcessIdentity {
  return {
    host: settings.host ?? given.host ?? hostname(),
    address: settings.address ?? given.address ?? firstAddress(),
    pid: given.pid ?? process.pid,
    worker: 'worker' in given ? given.worker : workerName(),
  }
}

function firstAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    const address = addresses?.find((one) => !one.internal && one.family === 'IPv4')
    if (address !== undefined) return address.address
  }
  return ''
}

function workerName(): string | undefined {
  const cluster = clusterWorkerId()
  const parts = [
    ...(cluster === undefined ? [] : [`cluster-${cluster}`]),
    ...(isMainThread ? [] : [`thread-${threadId}`]),
  ]
  return parts.length === 0 ? undefined : parts.join('/')
}

/** Only a process with a channel to its parent can be a worker of a cluster. */
function clusterWorkerId(): number | undefined {
  if (process.channel === undefined || process.channel === null) return undefined
  const cluster: unknown = process.getBuiltinModule('node:cluster')
  return (cluster as { readonly worker?: { readonly id: number } }).worker?.id
}
