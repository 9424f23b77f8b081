import { parseArgs } from 'node:util'
import type { FuzzOptions } from './server-fuzz.js'

/** What `npm run campaign` does with the words behind the name of a fuzzing campaign. */
export async function runFuzzCommand(
  fuzz: (options: FuzzOptions) => Promise<unknown>,
  caseText: (seed: number) => Promise<string>,
): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '600' },
      seed: { type: 'string', default: '1' },
      show: { type: 'string' },
    },
  })
  if (values.show !== undefined) {
    process.stdout.write(await caseText(Number(values.show)))
    return
  }
  const progress = (line: string) => console.log(line)
  const options = { seconds: Number(values.seconds), seed: Number(values.seed), progress }
  console.log(JSON.stringify(await fuzz(options)))
}
