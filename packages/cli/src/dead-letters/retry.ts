/** `millrace dlq retry`: dead letters back into the channels of their sinks, or to an avro source. */
import { messageOf, MillraceError } from '@millrace/runtime'
import { parseArguments } from '../arguments.js'
import { avroDestination } from '../channel/destinations.js'
import { jsonText } from '../channel/findings.js'
import { declareLocation, type Location, type LocationOptions } from '../channel/location.js'
import { counted } from '../channel/units.js'
import { EXIT_FAILURE, EXIT_OK, type ExitCode, UsageError } from '../exit-code.js'
import type { Terminal } from '../terminal.js'
import { declareLetters, type LetterOptions, withoutRejection } from './letters.js'
import { locateLetters } from './location.js'
import { type LetterRun, OpenLetters } from './open-letters.js'
import { TargetChannels } from './target-channels.js'

export const summary = 'put them back into the channel of their sink, or send them --to'

interface Options extends LocationOptions, LetterOptions {
  readonly to?: string
}

/** Takes events; what `send` resolved is safe there. */
interface Way {
  /** Where a letter of a sink would go; undefined: nowhere. */
  target(sink: string | undefined): string | undefined
  send(target: string, run: LetterRun): Promise<void>
  close(): Promise<void>
}

interface Outcome {
  retried: number
  /** By channel or address. */
  readonly byTarget: Map<string, number>
  /** Letters whose sink the agent does not have, by that sink. */
  readonly kept: Map<string, number>
  failure: string | undefined
}

export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const parsed = await parseArguments<Options>(args, terminal, (command) =>
    declareLetters(
      declareLocation(
        command
          .name('millrace dlq retry')
          .description(
            'Puts dead letters back into the channel of the sink that rejected them, while the agent is stopped.',
          ),
      ),
    ).option('--to <address>', 'avro://host:port of an avro source, instead of the channels'),
  )
  if ('exit' in parsed) return parsed.exit
  const { options } = parsed
  const location = await locateLetters(options, terminal)
  const letters = await OpenLetters.open(location.place, options.consumer, terminal)
  const outcome: Outcome = { retried: 0, byTarget: new Map(), kept: new Map(), failure: undefined }
  let way: Way | undefined
  try {
    way = await wayFor(location, options, terminal)
    await move(letters, way, options, outcome)
  } finally {
    await way?.close()
    await letters.close()
  }
  const { lostEvents } = letters
  report(outcome, lostEvents, options, terminal)
  const isDone = outcome.failure === undefined && outcome.kept.size === 0 && lostEvents === 0
  return isDone ? EXIT_OK : EXIT_FAILURE
}

async function wayFor(
  { agent, channel }: Location,
  { to }: Options,
  terminal: Terminal,
): Promise<Way> {
  if (to !== undefined) {
    const destination = await avroDestination(to)
    return {
      target: () => destination.title,
      send: (_, { batch, from }) =>
        destination.write({ firstSequence: from, appendedAtMs: 0, batch: withoutRejection(batch) }),
      close: () => destination.finish(),
    }
  }
  if (!agent)
    throw new UsageError(
      'which sink has which channel is in the agent’s file: use -n and -f, or --to',
    )
  const channels = new TargetChannels(agent, terminal)
  return {
    target(sink) {
      const name = channels.channelOf(sink)
      // Put back into the channel that is read here they would come round for ever.
      return name === channel ? undefined : name
    },
    send: (target, { batch }) => channels.put(target, withoutRejection(batch)),
    close: () => channels.close(),
  }
}

/** A letter is taken out when it is safe at its target: a crash between doubles it there. */
async function move(
  letters: OpenLetters,
  way: Way,
  options: Options,
  outcome: Outcome,
): Promise<void> {
  for await (const each of letters.runs(options)) {
    const target = way.target(each.sink)
    if (target === undefined) {
      add(outcome.kept, each.sink ?? '', each.batch.size)
      continue
    }
    try {
      await way.send(target, each)
    } catch (error) {
      // Where nothing was done yet the whole command fails.
      const isExpected = MillraceError.is(error) || error instanceof UsageError
      if (outcome.retried === 0 || !isExpected) throw error
      outcome.failure = `${target}: ${messageOf(error)}`
      return
    }
    await letters.remove(each)
    outcome.retried += each.batch.size
    add(outcome.byTarget, target, each.batch.size)
  }
}

function add(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count)
}

function report(
  { byTarget, failure, kept, retried }: Outcome,
  lostEvents: number,
  { json }: Options,
  { stderr, stdout }: Terminal,
): void {
  if (json) {
    const keptBySink = Object.fromEntries(kept)
    stdout.write(
      jsonText({
        retried,
        byTarget: Object.fromEntries(byTarget),
        keptBySink,
        lostEvents,
        failure,
      }),
    )
    return
  }
  const targets = [...byTarget].map(([target, count]) => `${target}: ${count}`).join(', ')
  stdout.write(
    `${counted(retried, 'dead letter')} retried${targets === '' ? '' : ` (${targets})`}\n`,
  )
  for (const [sink, count] of kept) {
    const whose = sink === '' ? 'name no sink' : `are of sink ${sink}`
    stderr.write(
      `${counted(count, 'dead letter')} stay: they ${whose}, which has no other channel here\n`,
    )
  }
  if (failure !== undefined) stderr.write(`millrace dlq retry: ${failure}; the others stay\n`)
}
