/** `millrace channel repair`: says what it would do, and does it with `--apply`. */
import { repairLog, type RepairAction, type RepairReport } from '@millrace/wal'
import { parseArguments } from '../arguments.js'
import { EXIT_FAILURE, EXIT_OK, type ExitCode } from '../exit-code.js'
import { printableLine } from '../receive/printable.js'
import type { Terminal } from '../terminal.js'
import { formatFindings, jsonText } from './findings.js'
import { declareLocation, locate, type LocationOptions } from './location.js'
import { verdictOf } from './verify.js'

export const summary = 'say what can be repaired; do it with --apply, keeping copies'

/** The consumer of a file channel. */
const SINKS = 'sinks'

type Options = LocationOptions & { readonly apply: boolean }

export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const parsed = await parseArguments<Options>(args, terminal, (command) =>
    declareLocation(
      command
        .name('millrace channel repair')
        .description('Repairs a file channel that is not in use, and keeps copies.'),
    ).option('--apply', 'do it; without this nothing is changed', false),
  )
  if ('exit' in parsed) return parsed.exit
  const { apply, json } = parsed.options
  const { place, title, agent, channel } = await locate(parsed.options, terminal)
  const report = await repairLog(place, { apply, consumers: [SINKS] })
  terminal.stdout.write(
    json ? jsonText({ agent: agent?.agent, channel, ...report }) : asText(title, report),
  )
  return isWell(report) ? EXIT_OK : EXIT_FAILURE
}

function isWell({ actions, after, before }: RepairReport): boolean {
  if (actions.length === 0) return before.isSound
  return after?.isSound === true && actions.every(({ failure }) => failure === undefined)
}

function asText(title: string, report: RepairReport): string {
  const { actions, after, before, isApplied } = report
  const lines = actions.map((action) => `${lineOf(action, isApplied)}\n`).join('')
  const found = `${title}: ${verdictOf(before)}\n`
  if (actions.length === 0) return `${found}Nothing can be repaired, or needs to be.\n`
  if (!after) return `${found}${lines}Nothing was changed; --apply does it and keeps copies.\n`
  return `${found}${lines}afterwards: ${verdictOf(after)}\n${formatFindings(after.findings)}`
}

function lineOf({ copy, failure, kind, message, path }: RepairAction, isApplied: boolean): string {
  const mark = isApplied ? (failure === undefined ? 'done  ' : 'FAILED') : 'to do '
  const what = `${mark} ${kind.padEnd(14)} ${path}: ${message}`
  const kept = copy === undefined ? '' : `; kept in ${copy}`
  return printableLine(`${what}${kept}${failure === undefined ? '' : `: ${failure}`}`)
}
