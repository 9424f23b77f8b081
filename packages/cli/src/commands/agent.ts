import { Agent, type Monitoring, startMonitoring } from '@millrace/agent-core'
import { createLogger, type Logger, MillraceError, systemClock } from '@millrace/runtime'
import { type AgentOptions, parseAgentOptions } from '../agent/agent-options.js'
import { FileWatcher } from '../agent/file-watcher.js'
import { readConfiguration } from '../agent/read-configuration.js'
import { EXIT_FAILURE, EXIT_OK, EXIT_USAGE, type ExitCode, UsageError } from '../exit-code.js'
import { stopSignals } from '../stop-signals.js'
import type { Terminal } from '../terminal.js'

/** `millrace agent`: runs an agent until SIGTERM or SIGINT. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const parsed = await parseAgentOptions(args, terminal)
  if ('exit' in parsed) return parsed.exit
  const { options } = parsed
  const logger = createLogger({
    level: options.logLevel,
    write: (line) => terminal.stderr.write(line),
  })
  const signals = stopSignals({ environment: terminal.environment })
  const reloader = new Reloader(options, terminal, logger)
  await reloader.watcher.remember()
  const { configuration, lines } = await readConfiguration(options, terminal.environment)
  for (const line of lines) terminal.stderr.write(`${line}\n`)
  if (!configuration) return EXIT_USAGE

  const agent = new Agent({ logger, startTimeoutMs: options.startTimeout })
  const monitoring = await monitor(agent, options, logger)
  const started = agent.start(configuration)
  try {
    await Promise.race([started, signals.requested])
  } catch (error) {
    logger.error(`Agent ${options.name} did not start`, error)
    await stopAgent(agent, options, logger)
    return EXIT_FAILURE
  }
  if (!signals.signal.aborted) {
    terminal.stdout.write(`ready agent=${options.name} pid=${process.pid}\n`)
    reloader.start(agent)
  }
  const name = await signals.requested
  logger.info(`${name}: stopping`)
  reloader.stop()
  started.catch((error: unknown) => logger.debug('The start was given up', error))
  await monitoring?.stop()
  await stopAgent(agent, options, logger)
  return EXIT_OK
}

/** @throws UsageError when the `flume.monitoring` properties are wrong. */
async function monitor(
  agent: Agent,
  options: AgentOptions,
  logger: Logger,
): Promise<Monitoring | undefined> {
  try {
    return await startMonitoring({ systemProperties: options.D, agent, logger })
  } catch (error) {
    if (MillraceError.is(error) && error.code.startsWith('MILLRACE_CONFIG_'))
      throw new UsageError(error.message)
    throw error
  }
}

/** Drains, stops, and says last what memory channels still held. */
async function stopAgent(agent: Agent, options: AgentOptions, logger: Logger): Promise<void> {
  const { undelivered } = await agent.stop({ deadlineMs: options.stopTimeout })
  const held = Object.entries(undelivered).filter(([, events]) => events > 0)
  const total = held.reduce((sum, [, events]) => sum + events, 0)
  const list = held.map(([channel, events]) => `${channel}: ${events}`).join(', ')
  const line = `Agent ${options.name} stopped; events left in memory channels: ${total}`
  if (total === 0) logger.info(line)
  else logger.warn(`${line} (${list}), which are lost`)
}

/** Starts everything anew when the file has changed and is valid (Flume's reload), or on SIGHUP. */
class Reloader {
  readonly watcher: FileWatcher
  readonly #options: AgentOptions
  readonly #terminal: Terminal
  readonly #logger: Logger
  #agent: Agent | undefined
  #isReloading = false

  constructor(options: AgentOptions, terminal: Terminal, logger: Logger) {
    this.#options = options
    this.#terminal = terminal
    this.#logger = logger
    this.watcher = new FileWatcher({
      file: options.confFile,
      intervalMs: options.pollInterval,
      clock: systemClock,
      logger,
      onChange: () => this.#reload(),
    })
    // A terminal that closes must not end an agent.
    process.on('SIGHUP', () => {
      if (options.reloadConf) void this.#reload()
      else logger.info('SIGHUP does nothing with --no-reload-conf')
    })
  }

  start(agent: Agent): void {
    this.#agent = agent
    if (this.#options.reloadConf) this.watcher.start()
  }

  stop(): void {
    this.#agent = undefined
    this.watcher.stop()
  }

  async #reload(): Promise<void> {
    const agent = this.#agent
    if (!agent || this.#isReloading) return
    this.#isReloading = true
    const { confFile } = this.#options
    try {
      const read = await readConfiguration(this.#options, this.#terminal.environment)
      for (const line of read.lines) this.#terminal.stderr.write(`${line}\n`)
      if (!read.configuration) {
        this.#logger.error(`${confFile} has changed and is not valid; nothing was changed`)
        return
      }
      this.#logger.info(`${confFile} has changed; starting everything anew`)
      await agent.reload(read.configuration)
      this.#logger.info(`${confFile} is loaded`)
    } catch (error) {
      this.#logger.error(`${confFile} could not be loaded`, error)
    } finally {
      this.#isReloading = false
    }
  }
}
