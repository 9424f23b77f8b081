/** `millrace dlq show`: one dead letter, whole. */
import { inspectLog, readLog } from '@millrace/wal'
import { parseArguments, wholeNumber } from '../arguments.js'
import { loggedEventJson } from '../channel/event-line.js'
import { jsonText } from '../channel/findings.js'
import { declareLocation, type LocationOptions } from '../channel/location.js'
import { consumerOf } from '../channel/selection.js'
import { formatTime } from '../channel/units.js'
import { EXIT_FAILURE, EXIT_OK, type ExitCode } from '../exit-code.js'
import { printable, printableLine } from '../receive/printable.js'
import type { Terminal } from '../terminal.js'
import { locateLetters } from './location.js'

export const summary = 'one dead letter, whole'

interface Options extends LocationOptions {
  readonly consumer?: string
}

export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const parsed = await parseArguments<Options>(args, terminal, (command) =>
    declareLocation(
      command
        .name('millrace dlq show')
        .description('Shows one dead letter, whole. The channel may be in use.')
        .argument('<sequence>', 'its number in the list'),
    ).option('--consumer <name>', 'the consumer of the channel; default: the only one'),
  )
  if ('exit' in parsed) return parsed.exit
  const { json, consumer: given } = parsed.options
  const number = wholeNumber('the sequence', 0, Number.MAX_SAFE_INTEGER)
  const fromSequence = number(parsed.operands[0] ?? '')
  const { place } = await locateLetters(parsed.options, terminal)
  const { consumers } = await inspectLog(place)
  const consumer = consumerOf(
    consumers.map(({ name }) => name),
    given,
  )
  const selection = { consumer, fromSequence, toSequence: fromSequence + 1 }
  for await (const { appendedAtMs, batch } of readLog(place, selection)) {
    const event = batch.at(0)
    const line = loggedEventJson(event, { sequence: fromSequence, appendedAtMs })
    await terminal.stdout.writeAll(
      json ? jsonText(line) : asText(line),
      new AbortController().signal,
    )
    return EXIT_OK
  }
  terminal.stderr.write(`millrace dlq show: there is no dead letter ${fromSequence}\n`)
  return EXIT_FAILURE
}

function asText(line: ReturnType<typeof loggedEventJson>): string {
  const { appendedAt, body, bodyEncoding, headers, sequence } = line
  const rejectedAt = Number(headers['millrace.rejected.at'])
  const shown = Object.entries(headers).map(([name, value]) => {
    const time = name === 'millrace.rejected.at' ? ` (${formatTime(rejectedAt)})` : ''
    return `  ${printableLine(name)}: ${printableLine(value)}${time}\n`
  })
  const how = bodyEncoding === undefined ? '' : ' (base64: it is no text)'
  return `sequence ${sequence}, put at ${appendedAt}\nheaders\n${shown.join('')}body${how}\n${printable(body)}\n`
}
