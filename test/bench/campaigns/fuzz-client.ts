// npm run campaign -- fuzz-client [--seconds N] [--seed S]: hostile servers, each from its own seed, of clients.
//   --show S   prints the case of one seed as the file that test/golden/fuzz/client keeps
import { clientCaseText, fuzzClients } from '../../support/fuzz/client-fuzz.js'
import { runFuzzCommand } from '../../support/fuzz/fuzz-command.js'

await runFuzzCommand(fuzzClients, clientCaseText)
