/** What repair has to do. */
import type { Finding } from '../recovery/finding.js'
import type { Survey } from './survey.js'
import type { LogVerification } from './verify-log.js'

/** One thing that repair does, or would do. */
export interface RepairAction {
  readonly kind: RepairKind
  readonly path: string
  /** A sentence for a person. */
  readonly message: string
  /** Where what was there before is kept. */
  readonly copy?: string
  /** Why it could not be done. */
  readonly failure?: string
}

export type RepairKind =
  /** A data directory that is gone is given up, with the events in it. */
  | 'lost-directory'
  /** A file that the log does not use is set aside. */
  | 'set-aside'
  /** The checkpoint, a position, or the file that identifies a directory, is made anew. */
  | 'made-anew'
  /** The end of a log that was not closed is cut. */
  | 'cut-tail'
  /** Events that are lost are not waited for any more. */
  | 'lost-events'
  /** Damaged bytes are replaced by a record that says that nothing is there. */
  | 'damage'

/** An action and how it is done. */
export interface Planned {
  readonly action: RepairAction
  /** `open`: opening the log and reading it does it. */
  readonly how: 'checkpoint' | 'move' | 'open' | 'void'
  /** Of `void`: where the damaged bytes begin. */
  readonly from?: number
}

/** Everything, in the order in which it is done. */
export function planRepair(survey: Survey, before: LogVerification): Planned[] {
  const { checkpointDirectory } = survey.options
  const planned: Planned[] = []
  if (survey.missingIds.length > 0) {
    const message = `Data directories given up: ${survey.missingIds.length}, with all events in them`
    const action: RepairAction = { kind: 'lost-directory', path: checkpointDirectory, message }
    planned.push({ how: 'checkpoint', action })
  }
  for (const path of filesInTheWay(survey)) {
    const action: RepairAction = { kind: 'set-aside', path, message: 'The log does not use it' }
    planned.push({ how: 'move', action })
  }
  for (const finding of before.findings) {
    const action = doneByOpening(finding)
    if (action) planned.push({ how: 'open', action })
  }
  if (before.lostEvents > 0) {
    const message = `No consumer waits any more for ${before.lostEvents} events that are lost`
    const action: RepairAction = { kind: 'lost-events', path: checkpointDirectory, message }
    planned.push({ how: 'open', action })
  }
  for (const { kind, path, bytes } of before.findings) {
    if (kind !== 'damage' || !bytes) continue
    const { from, to } = bytes
    const message = `The damaged bytes ${from} to ${to - 1} are replaced`
    planned.push({ how: 'void', from, action: { kind, path, message } })
  }
  return planned
}

/** Segments of other logs, and second files with a segment. */
function filesInTheWay({ files, findings, logId }: Survey): string[] {
  const doubled = findings.filter(({ kind }) => kind === 'doubled').map(({ path }) => path)
  const strange = files.filter(({ header }) => header && header.logId !== logId)
  return [...doubled, ...strange.map(({ file }) => file.path)]
}

function doneByOpening({ kind, path, message }: Finding): RepairAction | undefined {
  if (kind === 'cut-tail') return { kind, path, message }
  if (kind === 'unreadable') return { kind: 'set-aside', path, message }
  if (kind === 'checkpoint' || kind === 'cursor') return { kind: 'made-anew', path, message }
  return undefined
}
