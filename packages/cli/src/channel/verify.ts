/** `millrace channel verify`: reads everything, writes nothing. */
import { type LogVerification, verifyLog } from '@millrace/wal'
import { parseArguments } from '../arguments.js'
import { EXIT_FAILURE, EXIT_OK, type ExitCode } from '../exit-code.js'
import type { Terminal } from '../terminal.js'
import { formatFindings, jsonText } from './findings.js'
import { declareLocation, locate, type LocationOptions } from './location.js'
import { counted, formatBytes } from './units.js'

export const summary = 'read everything, write nothing, count what is damaged'

export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const parsed = await parseArguments<LocationOptions>(args, terminal, (command) =>
    declareLocation(
      command
        .name('millrace channel verify')
        .description('Reads and checks every record of a file channel. It may be in use.'),
    ),
  )
  if ('exit' in parsed) return parsed.exit
  const { place, title, agent, channel } = await locate(parsed.options, terminal)
  const verification = await verifyLog(place)
  terminal.stdout.write(
    parsed.options.json
      ? jsonText({ agent: agent?.agent, channel, ...verification })
      : `${title}: ${verdictOf(verification)}\n${formatFindings(verification.findings)}`,
  )
  return verification.isSound ? EXIT_OK : EXIT_FAILURE
}

/** The result in one sentence. */
export function verdictOf(verification: LogVerification): string {
  const { bytes, damages, doubtfulEvents, events, isSound, lostEvents, segments } = verification
  const read = `${counted(events, 'event')} (${formatBytes(bytes)}) in ${counted(segments, 'segment')} are good`
  if (isSound) return `sound; ${read}`
  const costs = [
    ...(damages > 0 ? [counted(damages, 'damaged place')] : []),
    ...(lostEvents > 0 ? [`${counted(lostEvents, 'event')} lost`] : []),
    ...(doubtfulEvents > 0
      ? [
          `at most ${counted(doubtfulEvents, 'event')} in doubt, which may never have been acknowledged`,
        ]
      : []),
  ]
  return `NOT sound${costs.length > 0 ? `: ${costs.join(', ')}` : ''}; ${read}`
}
