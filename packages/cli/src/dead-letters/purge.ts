/** `millrace dlq purge`: takes dead letters out for good. */
import { parseArguments } from '../arguments.js'
import { jsonText } from '../channel/findings.js'
import { declareLocation, type LocationOptions } from '../channel/location.js'
import { counted } from '../channel/units.js'
import { EXIT_FAILURE, EXIT_OK, type ExitCode, UsageError } from '../exit-code.js'
import type { Terminal } from '../terminal.js'
import { declareLetters, isFiltered, type LetterOptions } from './letters.js'
import { locateLetters } from './location.js'
import { OpenLetters } from './open-letters.js'

export const summary = 'remove them for good'

interface Options extends LocationOptions, LetterOptions {
  readonly yes: boolean
}

export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const parsed = await parseArguments<Options>(args, terminal, (command) =>
    declareLetters(
      declareLocation(
        command
          .name('millrace dlq purge')
          .description('Removes dead letters for good, while the agent is stopped.'),
      ),
    ).option('--yes', 'needed to remove all of them', false),
  )
  if ('exit' in parsed) return parsed.exit
  const { options } = parsed
  if (!options.yes && !isFiltered(options)) {
    throw new UsageError('this removes all dead letters: say --yes, or which ones')
  }
  const { place, title } = await locateLetters(options, terminal)
  const letters = await OpenLetters.open(place, options.consumer, terminal)
  let purged = 0
  try {
    for await (const each of letters.runs(options)) {
      await letters.remove(each)
      purged += each.batch.size
    }
  } finally {
    await letters.close()
  }
  const { lostEvents } = letters
  terminal.stdout.write(
    options.json
      ? jsonText({ purged, lostEvents })
      : `${title}: ${counted(purged, 'dead letter')} removed\n`,
  )
  return lostEvents > 0 ? EXIT_FAILURE : EXIT_OK
}
