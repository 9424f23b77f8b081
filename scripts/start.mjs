// npm start: installs and builds what is missing, then runs `millrace receive` with the arguments given.
// In this very process, which the script of package.json puts in the place of its shell (exec): Ctrl-C and
// the exit code have nobody in between. Where there is no exec, call this file: node scripts/start.mjs
import { build, install } from './bootstrap.mjs'

install()
build()
process.argv.splice(2, 0, 'receive')
await import('../packages/cli/bin/millrace.js')
