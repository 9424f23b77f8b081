import {
  Agent,
  ConfigurationWatcher,
  filesOf,
  type LoadConfigurationOptions,
  type Monitoring,
  type ReloadReport,
  startMonitoring,
} from '@millrace/agent-core'
import { createLogger, type Logger, messageOf, MillraceError } from '@millrace/runtime'
import { type AgentOptions, parseAgentOptions } from '../agent/agent-options.js'
import { configurationSource, readConfiguration } from '../agent/read-configuration.js'
import { warnOfProperties } from '../agent/system-properties.js'
import { EXIT_FAILURE, EXIT_OK, EXIT_USAGE, type ExitCode, UsageError } from '../exit-code.js'
import { stopSignals } from '../stop-signals.js'
import type { Terminal } from '../terminal.js'
import { youngGenerationCollector } from '../young-generation.js'

/** `millrace agent`: runs an agent until SIGTERM or SIGINT. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const parsed = await parseAgentOptions(args, terminal)
  if ('exit' in parsed) return parsed.exit
  const { options } = parsed
  const logger = createLogger({
    level: options.logLevel,
    write: (line) => terminal.stderr.write(line),
  })
  warnOfProperties(options.D, logger)
  const signals = stopSignals({ environment: terminal.environment })
  const source = configurationSource(options, terminal.environment)
  const watcher = makeWatcher({
    source,
    pollIntervalMs: options.pollInterval ?? defaultPollMs(source),
    logger,
    backupDirectory: options.backupDirectory,
  })
  onHangUp(watcher, options, logger)
  const { configuration, lines } = await readConfiguration(source, () => watcher.load())
  for (const line of lines) terminal.stderr.write(`${line}\n`)
  if (!configuration) return EXIT_USAGE

  const agent = new Agent({
    logger,
    startTimeoutMs: options.startTimeout,
    onBytes: youngGenerationCollector(),
  })
  let monitoring: Monitoring | undefined
  try {
    monitoring = await monitor(agent, options, logger)
  } catch (error) {
    if (error instanceof UsageError) throw error
    logger.error(messageOf(error))
    return EXIT_FAILURE
  }
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
    if (options.reloadConf) void reload(watcher, agent, { logger, signal: signals.signal })
  }
  const name = await signals.requested
  logger.info(`${name}: stopping`)
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
    return await startMonitoring({
      systemProperties: options.D,
      agentName: options.name,
      moduleDirectories: options.conf === undefined ? ['.'] : [options.conf, '.'],
      agent,
      logger,
    })
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

/** Takes over every valid change of the configuration; what has not changed goes on. */
function reload(
  watcher: ConfigurationWatcher,
  agent: Agent,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<void> {
  return watcher.watch(async (configuration) => {
    const report = await agent.reload(configuration)
    logger.info(`The configuration as it is now is in use; ${described(report)}`)
  }, signal)
}

/** `restarted: source r1; kept: channel c1, sink k1`. */
function described({ restarted, rerouted, started, stopped, kept }: ReloadReport): string {
  const parts = Object.entries({ restarted, rerouted, started, stopped, kept })
    .filter(([, names]) => names.length > 0)
    .map(([what, names]) => `${what}: ${names.join(', ')}`)
  return parts.join('; ')
}

/** @throws UsageError for an address that no configuration can come from. */
function makeWatcher(options: ConstructorParameters<typeof ConfigurationWatcher>[0]) {
  try {
    return new ConfigurationWatcher(options)
  } catch (error) {
    throw new UsageError(messageOf(error))
  }
}

/** As in Flume: a web server is asked less often. */
function defaultPollMs(source: LoadConfigurationOptions): number {
  return filesOf(source).some((each) => /^https?:/i.test(each)) ? 300_000 : 30_000
}

/** SIGHUP asks for a reload. A terminal that closes must not end an agent. */
function onHangUp(watcher: ConfigurationWatcher, options: AgentOptions, logger: Logger): void {
  process.on('SIGHUP', () => {
    if (options.reloadConf) watcher.requestReload()
    else logger.info('SIGHUP does nothing with --no-reload-conf')
  })
}
