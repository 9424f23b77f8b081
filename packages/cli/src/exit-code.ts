/** What the command answers to the shell. */
export const EXIT_OK = 0
/** It ran and failed. */
export const EXIT_FAILURE = 1
/** Bad usage, bad configuration, something that is not there or not free. */
export const EXIT_USAGE = 2

export type ExitCode = typeof EXIT_OK | typeof EXIT_FAILURE | typeof EXIT_USAGE

/** What the person at the terminal got wrong; its message is the one line that is shown. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
