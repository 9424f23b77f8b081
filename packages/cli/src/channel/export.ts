/** `millrace channel export`: copies events out of a channel. Nothing in it changes. */
import { messageOf, MillraceError } from '@millrace/runtime'
import { inspectLog, readLog } from '@millrace/wal'
import { parseArguments } from '../arguments.js'
import { EXIT_FAILURE, EXIT_OK, type ExitCode, UsageError } from '../exit-code.js'
import type { Terminal } from '../terminal.js'
import {
  avroDestination,
  type Destination,
  type ExportFormat,
  fileDestination,
  outputDestination,
} from './destinations.js'
import { jsonText } from './findings.js'
import { declareLocation, locate, type LocationOptions } from './location.js'
import { consumerOf, declareRange, type RangeOptions, selectionOf } from './selection.js'
import { counted } from './units.js'

export const summary = 'copy events to a file or to an avro source'

const FORMATS: readonly ExportFormat[] = ['avro', 'ndjson']

interface Options extends LocationOptions, RangeOptions {
  readonly format?: ExportFormat
  readonly out?: string
  readonly to?: string
  readonly consumer?: string
  readonly all: boolean
}

export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const parsed = await parseArguments<Options>(args, terminal, (command) =>
    declareRange(
      declareLocation(
        command
          .name('millrace channel export')
          .description('Copies events that wait in a file channel. It may be in use.'),
      )
        .option('--format <format>', FORMATS.join(' or '), format)
        .option('--out <file>', 'a new file; - is standard output, for ndjson')
        .option('--to <address>', 'avro://host:port of an avro source, instead of a file')
        .option('--consumer <name>', 'what this consumer is not done with; default: the only one')
        .option('--all', 'all that is still on disk, delivered events too', false),
    ),
  )
  if ('exit' in parsed) return parsed.exit
  const { options } = parsed
  checkOptions(options)
  const location = await locate(options, terminal)
  const { consumers } = await inspectLog(location.place)
  const names = consumers.map(({ name }) => name)
  const consumer = options.all ? undefined : consumerOf(names, options.consumer)
  const destination = await destinationOf(options, terminal)
  const progress = { events: 0, lost: 0 }
  let failure: string | undefined
  try {
    const batches = readLog(location.place, {
      ...selectionOf(options),
      ...(consumer === undefined ? {} : { consumer }),
      onLost: (from, to) => (progress.lost += to - from),
    })
    for await (const batch of batches) {
      await destination.write(batch)
      progress.events += batch.batch.size
    }
    await destination.finish()
  } catch (error) {
    await destination.abandon()
    if (error instanceof UsageError) throw error
    if (!MillraceError.is(error) && !isSystemError(error)) throw error
    failure = messageOf(error)
  }
  report({ ...progress, failure, to: destination.title }, options, terminal)
  return failure === undefined && progress.lost === 0 ? EXIT_OK : EXIT_FAILURE
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && typeof Reflect.get(error, 'code') === 'string'
}

function format(text: string): ExportFormat {
  const found = FORMATS.find((each) => each === text)
  if (!found) throw new UsageError(`--format is none of ${FORMATS.join(', ')}: “${text}”`)
  return found
}

function checkOptions({ all, consumer, format: given, out, to }: Options): void {
  if ((out === undefined) === (to === undefined)) {
    throw new UsageError('say where to: --format and --out, or --to')
  }
  if (to !== undefined && given !== undefined) {
    throw new UsageError('--format belongs to --out; --to sends Flume’s own events')
  }
  if (out !== undefined && given === undefined) throw new UsageError('--format is missing')
  if (out === '-' && given === 'avro') {
    throw new UsageError('--format avro needs a file: it is no text')
  }
  if (all && consumer !== undefined) throw new UsageError('--all and --consumer exclude each other')
}

function destinationOf(options: Options, terminal: Terminal): Promise<Destination> | Destination {
  const { format: given = 'ndjson', out = '', to } = options
  if (to !== undefined) return avroDestination(to)
  return out === '-' ? outputDestination(terminal) : fileDestination(out, given)
}

interface Result {
  readonly events: number
  readonly lost: number
  readonly failure: string | undefined
  readonly to: string
}

function report(
  { events, failure, lost, to }: Result,
  { json, out }: Options,
  { stderr, stdout }: Terminal,
): void {
  const output = out === '-' ? stderr : stdout
  if (json) output.write(jsonText({ to, exportedEvents: events, lostEvents: lost, failure }))
  else if (failure === undefined) output.write(`${counted(events, 'event')} exported to ${to}\n`)
  else
    stderr.write(
      `millrace channel export: ${to}: ${failure}; ${counted(events, 'event')} came before\n`,
    )
  if (lost > 0 && !json) stderr.write(`missing there: ${counted(lost, 'damaged event')}\n`)
}
