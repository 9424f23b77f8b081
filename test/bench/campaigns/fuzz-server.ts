// npm run campaign -- fuzz-server [--seconds N] [--seed S]: hostile clients, each from its own seed, against an agent.
//   --show S   prints the case of one seed as the file that test/golden/fuzz/server keeps
import { serverCaseText, fuzzServer } from '../../support/fuzz/server-fuzz.js'
import { runFuzzCommand } from '../../support/fuzz/fuzz-command.js'

await runFuzzCommand(fuzzServer, serverCaseText)
