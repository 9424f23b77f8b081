/** SIGINT and SIGTERM: the first asks for a clean stop, a second ends the process at once. */
import { EXIT_FAILURE } from './exit-code.js'

/**
 * npm passes a Ctrl-C on to a process that has had it from the terminal already. Run by npm, a second
 * signal within this many milliseconds of the first is its echo.
 */
const NPM_ECHO_MS = 500

export interface StopSignalOptions {
  readonly environment: NodeJS.ProcessEnv
  /** Further signals that ask for a clean stop. */
  readonly also?: readonly NodeJS.Signals[]
}

export interface StopSignals {
  /** Aborted by the first signal, with its name as the reason. */
  readonly signal: AbortSignal
  /** Resolves with the first signal's name. */
  readonly requested: Promise<NodeJS.Signals>
}

/** Listens for the rest of the process's life. */
export function stopSignals(options: StopSignalOptions): StopSignals {
  const controller = new AbortController()
  const echoMs = options.environment['npm_lifecycle_event'] === undefined ? 0 : NPM_ECHO_MS
  let firstAt: number | undefined
  // Whatever the components hold open, the process waits for a signal.
  const alive = setInterval(() => undefined, 2 ** 31 - 1)
  const requested = new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', ...(options.also ?? [])] as const) {
      process.on(name, () => {
        const now = performance.now()
        if (firstAt === undefined) {
          firstAt = now
          clearInterval(alive)
          controller.abort(name)
          resolve(name)
        } else if (now - firstAt >= echoMs) {
          process.exit(EXIT_FAILURE)
        }
      })
    }
  })
  return { signal: controller.signal, requested }
}
