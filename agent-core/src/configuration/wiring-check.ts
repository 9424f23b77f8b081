/** Rules between components: does a batch fit its channel, does anybody use a channel. */
import { type CheckedComponent, placeOf } from './component-check.js'
import type { FindingList } from './finding.js'
import type { Listed } from './lists.js'

/** A source or sink with the names of its channels; `checked` is absent when its type is unknown. */
export interface Connected {
  readonly checked: CheckedComponent | undefined
  readonly channels: readonly string[]
}

/** A component that moves more events at once than its channel takes in one transaction never gets on. */
export function checkBatchSizes(
  channels: readonly CheckedComponent[],
  connected: readonly Connected[],
  findings: FindingList,
): void {
  const capacities = new Map<string, number>()
  for (const { configuration, isSound } of channels) {
    if (!isSound) continue
    const capacity = configuration.definition.transactionCapacity?.(configuration.options)
    if (capacity !== undefined) capacities.set(configuration.name, capacity)
  }
  for (const { checked, channels: names } of connected) {
    if (!checked?.isSound) continue
    const { configuration, plan } = checked
    const batch = configuration.definition.batchSize?.(configuration.options)
    for (const name of batch ? names : []) {
      const capacity = capacities.get(name)
      if (batch === undefined || capacity === undefined || batch.events <= capacity) continue
      findings.error(
        'MILLRACE_CONFIG_INVALID',
        placeOf(plan, batch.key),
        `a batch of ${batch.events} events exceeds the transactionCapacity ${capacity} of channel ${name}`,
      )
    }
  }
}

/** Two components in one directory would stand in each other's way, as two on default paths do. */
export function checkDirectories(
  components: readonly CheckedComponent[],
  findings: FindingList,
): void {
  const owners = new Map<string, string>()
  for (const { configuration, plan, isSound } of components) {
    const { definition, name, options } = configuration
    for (const { key, path } of isSound ? (definition.directories?.(options) ?? []) : []) {
      const owner = owners.get(path)
      if (owner === undefined) owners.set(path, name)
      if (owner === undefined || owner === name) continue
      findings.error(
        'MILLRACE_CONFIG_INVALID',
        placeOf(plan, key),
        `${path} belongs to channel ${owner} already; give each channel directories of its own`,
      )
    }
  }
}

/**
 * A channel without a source or without a sink is most likely a slip. One for dead letters needs neither:
 * sinks fill it, and a person looks into it.
 */
export function checkUse(
  channels: readonly Listed[],
  used: {
    readonly bySources: ReadonlySet<string>
    readonly bySinks: ReadonlySet<string>
    readonly byDeadLetters: ReadonlySet<string>
  },
  findings: FindingList,
): void {
  for (const { name, settings, listLine } of channels) {
    const isFilled = used.bySources.has(name)
    const isDrained = used.bySinks.has(name)
    if (used.byDeadLetters.has(name) || (isFilled && isDrained)) continue
    const message =
      isFilled || isDrained
        ? `no ${isFilled ? 'sink takes from' : 'source writes to'} this channel`
        : 'no source and no sink uses this channel'
    const line = settings.get('type')?.line ?? listLine
    findings.warning('MILLRACE_CONFIG_UNUSED', { key: settings.prefix.slice(0, -1), line }, message)
  }
}
