// npm run campaign -- fuzz-server [--seconds N] [--seed S]: hostile clients, each from its own seed, against an agent.
//   --show S   prints the case of one seed as the file that test/golden/fuzz/server keeps
import { parseArgs } from 'node:util'
import { fuzzServer, serverCaseText } from '../../support/fuzz/server-fuzz.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: '1' },
    show: { type: 'string' },
  },
})
if (values.show === undefined) {
  const report = await fuzzServer({
    seconds: Number(values.seconds),
    seed: Number(values.seed),
    progress: (line) => console.log(line),
  })
  console.log(JSON.stringify(report))
} else process.stdout.write(await serverCaseText(Number(values.show)))
