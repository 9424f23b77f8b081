export { runCommandLine } from './command-line.js'
export { EXIT_FAILURE, EXIT_OK, EXIT_USAGE, type ExitCode } from './exit-code.js'
export { LineOutput, type Terminal } from './terminal.js'
