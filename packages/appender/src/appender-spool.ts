import { cachedDisk, type Disk, lockBySocket, type LockDirectory, nodeDisk } from '@millrace/wal'
import type { DeliveryContext } from './delivery/batch-delivery.js'
import type { Lane } from './delivery/lane.js'
import { Ledger } from './delivery/ledger.js'
import type { Spooling } from './intake.js'
import type { AppenderSettings } from './options/appender-option-group.js'
import { Spools } from './spool/spools.js'

/** The disk of a spool, and what keeps others out of its directories. */
export interface SpoolDisk {
  readonly disk: Disk
  readonly lock: LockDirectory
}

/** What an appender has besides its lanes when it spools. */
export interface AppenderSpool extends Spooling {
  /** The lanes beside those that its records go to. */
  readonly lanes: readonly Lane[]
  /** What became of the events that other processes left. */
  readonly recovered: Ledger
  /** Events that are in memory and not in a spool. */
  readonly memoryOnly: number
}

interface SpoolingParts {
  readonly context: DeliveryContext
  readonly lanes: readonly Lane[]
  readonly createLane: (context: DeliveryContext) => Lane[]
}

/** Makes the spools of an appender from its settings; undefined when it has none. */
export function createSpooling(
  { queue }: AppenderSettings,
  { spoolDisk }: { readonly spoolDisk?: SpoolDisk },
  { context, lanes, createLane }: SpoolingParts,
): AppenderSpool | undefined {
  const { directory, policy, durability } = queue
  if (policy !== 'spool' || directory === undefined) return undefined
  const { disk, lock } = spoolDisk ?? { disk: nodeDisk, lock: lockBySocket }
  const recovered = new Ledger(context.clock)
  const [memoryLane] = createLane(context) as [Lane]
  const [recoveryLane] = createLane({ ...context, ledger: recovered }) as [Lane]
  // What has waited for a whole life of a process does not wait for more.
  recoveryLane.hurry(Number.MAX_SAFE_INTEGER)
  const spools = new Spools({
    ...queue,
    directory,
    place: {
      ...queue,
      // Without syncs no call ever waits for the disk itself.
      disk: durability === 'sync' ? disk : cachedDisk(disk),
      lock,
      clock: context.clock,
    },
    context,
    lanes,
    recovery: { lane: recoveryLane, ledger: recovered },
    onChange: () => recoveryLane.noticed(),
  })
  return {
    spools,
    memoryLane,
    lanes: [memoryLane, recoveryLane],
    recovered,
    get memoryOnly() {
      return memoryLane.queue.events + memoryLane.inFlight
    },
  }
}
