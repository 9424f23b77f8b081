/** `millrace channel ls`: segments, consumers, backlog and age. */
import { inspectLog, isProblem, type LogInspection } from '@millrace/wal'
import { parseArguments } from '../arguments.js'
import { EXIT_FAILURE, EXIT_OK, type ExitCode } from '../exit-code.js'
import type { Terminal } from '../terminal.js'
import { formatFindings, jsonText } from './findings.js'
import { declareLocation, locate, type Location, type LocationOptions } from './location.js'
import { formatAge, formatBytes, formatTable, formatTime } from './units.js'

export const summary = 'segments, consumers, backlog and its age'

export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const parsed = await parseArguments<LocationOptions>(args, terminal, (command) =>
    declareLocation(
      command
        .name('millrace channel ls')
        .description('Shows what a file channel holds. It may be in use.'),
    ),
  )
  if ('exit' in parsed) return parsed.exit
  const location = await locate(parsed.options, terminal)
  const inspection = await inspectLog(location.place)
  const nowMs = Date.now()
  terminal.stdout.write(
    parsed.options.json
      ? jsonText(asJson(location, inspection, nowMs))
      : asText(location, inspection, nowMs),
  )
  return inspection.findings.some(isProblem) ? EXIT_FAILURE : EXIT_OK
}

function asJson({ agent, channel }: Location, inspection: LogInspection, nowMs: number): unknown {
  return {
    agent: agent?.agent,
    channel,
    logId: inspection.logId,
    owner: inspection.owner,
    wasClosed: inspection.wasClosed,
    directories: inspection.directories.map(({ path, isThere, freeBytes }) => ({
      path,
      isThere,
      freeBytes,
    })),
    consumers: inspection.consumers.map(({ name, sequence, backlog, oldestAppendedAtMs }) => ({
      name,
      sequence,
      backlogEvents: backlog.events,
      backlogBytes: backlog.bytes,
      oldestAppendedAtMs,
      oldestAgeMs: ageOf(oldestAppendedAtMs, nowMs),
    })),
    segments: inspection.segments,
    freeFiles: inspection.freeFiles,
    nextSequence: inspection.nextSequence,
    findings: inspection.findings,
  }
}

function ageOf(appendedAtMs: number | undefined, nowMs: number): number | undefined {
  return appendedAtMs === undefined ? undefined : Math.max(0, nowMs - appendedAtMs)
}

function asText({ title }: Location, inspection: LogInspection, nowMs: number): string {
  const { consumers, directories, findings, freeFiles, segments } = inspection
  const heads = directories.map(({ path, isThere, freeBytes }, i) => {
    const free = freeBytes === undefined ? '' : `, ${formatBytes(freeBytes)} free`
    return `${i === 0 ? 'checkpoint' : 'data      '}  ${path}${isThere ? free : ' (not there)'}\n`
  })
  const backlog = consumers.map(({ name, backlog: { bytes, events }, oldestAppendedAtMs }) => {
    const age = ageOf(oldestAppendedAtMs, nowMs)
    return [name, String(events), formatBytes(bytes), age === undefined ? '–' : formatAge(age)]
  })
  const rows = segments.map((each) => [
    String(each.id),
    each.state,
    String(each.nextSequence - each.firstSequence),
    each.nextSequence > each.firstSequence ? `${each.firstSequence}–${each.nextSequence - 1}` : '–',
    formatBytes(each.recordBytes),
    formatTime(each.lastAppendedAtMs),
    each.path,
  ])
  const remarks = formatFindings(findings)
  return [
    `${title.charAt(0).toUpperCase()}${title.slice(1)}: ${stateOf(inspection)}\n`,
    ...heads,
    '\n',
    formatTable([['CONSUMER', 'WAITING', 'BYTES', 'OLDEST'], ...backlog], [1, 2]),
    '\n',
    formatTable(
      [['SEGMENT', 'STATE', 'EVENTS', 'SEQUENCES', 'BYTES', 'LAST APPEND', 'FILE'], ...rows],
      [0, 2, 4],
    ),
    `free files: ${freeFiles.count} (${formatBytes(freeFiles.bytes)})\n`,
    remarks === '' ? '' : `\n${remarks}`,
  ].join('')
}

function stateOf({ owner, wasClosed }: LogInspection): string {
  if (owner !== undefined) return `in use by process ${owner || 'unknown'}`
  return wasClosed ? 'closed' : 'not in use, and not closed: its process or the machine died'
}
