/** Reads the `flume.monitoring.*` system properties and starts the monitor that they ask for. */
import { resolve } from 'node:path'
import type { ComponentDefinition, MonitoredAgent } from '@millrace/component'
import {
  type Clock,
  ConfigurationError,
  type Logger,
  messageOf,
  type Random,
  systemClock,
} from '@millrace/runtime'
import { Settings } from '../configuration/agent-section.js'
import { checkComponent } from '../configuration/component-check.js'
import { ComponentTypes } from '../configuration/component-types.js'
import { FindingList } from '../configuration/finding.js'
import { builtinComponents } from '../registry.js'

const PREFIX = 'flume.monitoring.'
/** How long a monitor may take to stop, in milliseconds. */
const STOP_MS = 2_000

/** Monitoring that runs. */
export interface Monitoring {
  /** Where it listens: empty and 0 for a monitor that does not. */
  readonly host: string
  readonly port: number
  stop(): Promise<void>
}

export interface MonitoringOptions {
  /** The `-D` properties of the command line. */
  readonly systemProperties: Readonly<Record<string, string>>
  readonly agent: MonitoredAgent
  readonly logger: Logger
  readonly agentName?: string
  readonly clock?: Clock
  readonly random?: Random
  /** Where a module named by the type is looked for. Default the working directory. */
  readonly moduleDirectories?: readonly string[]
}

/**
 * Starts the monitor of `flume.monitoring.type`: `http`, `prometheus`, `ganglia` in any case, Flume's class names of
 * them, or a module. Absent means none. It gets the other `flume.monitoring.*` properties without their prefix.
 * @throws ConfigurationError for another type or a bad value, LifecycleError when the monitor does not start.
 */
export async function startMonitoring(options: MonitoringOptions): Promise<Monitoring | undefined> {
  const { systemProperties, logger, agent } = options
  const type = systemProperties[`${PREFIX}type`]
  const settings = settingsOf(systemProperties)
  if (type === undefined) {
    for (const { key } of settings.byKey.values())
      logger.warn(`-D${key} does nothing without -D${PREFIX}type`)
    return undefined
  }
  const directories = (options.moduleDirectories ?? ['.']).map((each) => resolve(each))
  const types = new ComponentTypes({ builtin: builtinComponents, moduleDirectories: directories })
  const checked = await checkMonitor(type, settings, types, logger)
  const monitor = checked.definition.create({
    agent: options.agentName ?? '',
    name: type,
    options: checked.options,
    logger: logger.child(`monitor ${type}`),
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    monitored: agent,
  } as MonitorContext)
  const starting = new AbortController()
  await monitor.start?.({
    signal: starting.signal,
    fail: (error) => logger.error(`monitor ${type} broke: ${messageOf(error)}`),
  })
  const { host = '', port = 0 } = monitor.address ?? {}
  return { host, port, stop: async () => monitor.stop?.({ deadlineMs: STOP_MS }) }
}

function settingsOf(properties: Readonly<Record<string, string>>): Settings {
  const byKey = new Map(
    Object.entries(properties)
      .filter(([key]) => key.startsWith(PREFIX) && key !== `${PREFIX}type`)
      .map(([key, value]) => [
        key.slice(PREFIX.length),
        { key, value, written: value, line: 0, isUsable: true },
      ]),
  )
  return new Settings(PREFIX, byKey)
}

type MonitorContext = Parameters<ComponentDefinition<'monitor'>['create']>[0]

/** @throws ConfigurationError with all that is wrong; what is only odd is logged. */
async function checkMonitor(type: string, own: Settings, types: ComponentTypes, logger: Logger) {
  const loaded = await types.load('monitor', type)
  if ('problem' in loaded)
    throw new ConfigurationError('MILLRACE_CONFIG_UNSUPPORTED', `${PREFIX}type: ${loaded.problem}`)
  const findings = new FindingList('command line')
  const typeKey = `${PREFIX}type`
  const plan = {
    kind: 'monitor' as const,
    name: type,
    own,
    typeKey,
    type: { key: typeKey, value: type, written: type, line: 0, isUsable: true },
    listLine: 0,
    absentKeys: [],
  }
  const { configuration } = checkComponent(plan, loaded.definition, {
    types,
    findings,
    isLenient: true,
  })
  const problems = findings.sorted()
  for (const { severity, key, message } of problems)
    if (severity === 'warning') logger.warn(`-D${key}: ${message}`)
  const errors = problems.filter(({ severity }) => severity === 'error')
  if (errors.length === 0) return configuration
  const text = errors.map(({ key, message }) => `${key}: ${message}`).join('; ')
  throw new ConfigurationError('MILLRACE_CONFIG_INVALID', text)
}
