// npm start: installs and builds what is missing, then runs `millrace receive` with the arguments given.
// In this very process, so that Ctrl-C and the exit code have nobody in between.
import { build, install } from './bootstrap.mjs'

install()
build()
process.argv.splice(2, 0, 'receive')
await import('../packages/cli/bin/millrace.js')
