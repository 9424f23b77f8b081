// npm run campaign -- fuzz-client [--seconds N] [--seed S]: hostile servers, each from its own seed, of clients.
//   --show S   prints the case of one seed as the file that test/golden/fuzz/client keeps
import { parseArgs } from 'node:util'
import { fuzzClients, clientCaseText } from '../../support/fuzz/client-fuzz.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: '1' },
    show: { type: 'string' },
  },
})
if (values.show === undefined) {
  const report = await fuzzClients({
    seconds: Number(values.seconds),
    seed: Number(values.seed),
    progress: (line) => console.log(line),
  })
  console.log(JSON.stringify(report))
} else process.stdout.write(await clientCaseText(Number(values.show)))
