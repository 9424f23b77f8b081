/** Notices when the configuration file changes, by Flume's rule: its modification time is newer. */
import { stat } from 'node:fs/promises'
import {
  type Clock,
  type Deferred,
  deferred,
  delay,
  type Logger,
  MillraceError,
  systemClock,
} from '@millrace/runtime'
import type { AgentConfiguration } from './agent-configuration.js'
import { formatFinding } from './finding.js'
import {
  type LoadConfigurationOptions,
  loadConfiguration,
  type LoadedConfiguration,
} from './load-configuration.js'

export interface ConfigurationWatcherOptions {
  readonly source: LoadConfigurationOptions
  /** Time between two looks at the file, in milliseconds. */
  readonly pollIntervalMs: number
  readonly logger: Logger
  readonly clock?: Clock
}

/** What tells two versions of a file apart. */
interface Version {
  readonly modifiedNs: bigint
  readonly size: bigint
}

/**
 * Loads a configuration and, on request, watches it. A file that is gone, unreadable, older, without
 * the agent, or that has an error changes nothing; what is wrong is logged once for each version.
 */
export class ConfigurationWatcher {
  readonly #options: ConfigurationWatcherOptions
  #loaded: Version | undefined
  #request: Deferred<void> = deferred()
  #isRequested = false

  constructor(options: ConfigurationWatcherOptions) {
    this.#options = options
  }

  /**
   * The first load. A change made after it is seen by {@link watch}.
   * @throws ConfigurationError `MILLRACE_CONFIG_UNREADABLE` when the file cannot be read.
   */
  async load(): Promise<LoadedConfiguration> {
    // Before the file is read, so that a change made meanwhile is newer.
    this.#loaded = await this.#version()
    return loadConfiguration(this.#options.source)
  }

  /** Makes {@link watch} read the file now, whether it has changed or not. */
  requestReload(): void {
    this.#isRequested = true
    this.#request.resolve()
  }

  /**
   * Looks at the file at each interval and hands every new valid configuration over; the next look
   * waits until it has been dealt with. Resolves when the signal is aborted. What `onChange` throws
   * is logged.
   */
  async watch(
    onChange: (configuration: AgentConfiguration) => void | Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { logger } = this.#options
    while (!signal.aborted) {
      try {
        await this.#pause(signal)
        const configuration = await this.#loadIfChanged()
        if (configuration && !signal.aborted) await onChange(configuration)
      } catch (error) {
        if (signal.aborted) return
        logger.error(`reloading ${this.#options.source.file} failed`, error)
      }
    }
  }

  /** One interval, cut short by a request. */
  async #pause(signal: AbortSignal): Promise<void> {
    const { pollIntervalMs, clock = systemClock } = this.#options
    const rest = new AbortController()
    const interval = delay(pollIntervalMs, {
      signal: AbortSignal.any([signal, rest.signal]),
      clock,
    })
    try {
      await Promise.race([interval, this.#request.promise])
    } finally {
      interval.catch(() => {})
      rest.abort()
    }
  }

  async #loadIfChanged(): Promise<AgentConfiguration | undefined> {
    const isRequested = this.#isRequested
    this.#isRequested = false
    if (isRequested) this.#request = deferred()
    const { source, logger } = this.#options
    const version = await this.#version()
    if (version === undefined) {
      if (isRequested) logger.warn(`${source.file} is gone: the configuration stays as it is`)
      return undefined
    }
    if (!isRequested && !isNewer(version, this.#loaded)) return undefined
    logger.info(`${source.file} ${isRequested ? 'is' : 'has changed and is'} read again`)
    let loaded: LoadedConfiguration
    try {
      loaded = await loadConfiguration(source)
    } catch (error) {
      // Half-way through a rename, for instance: the version is not remembered, so it is tried again.
      if (MillraceError.is(error) && error.code === 'MILLRACE_CONFIG_UNREADABLE') {
        logger.warn('the configuration stays as it is', error)
        return undefined
      }
      throw error
    }
    this.#loaded = version
    return this.#judge(loaded)
  }

  #judge(loaded: LoadedConfiguration): AgentConfiguration | undefined {
    const { source, logger } = this.#options
    for (const finding of loaded.findings) {
      if (finding.severity === 'error') logger.error(formatFinding(finding))
      else logger.warn(formatFinding(finding))
    }
    if (loaded.configuration) return loaded.configuration
    logger.error(
      loaded.isAgentKnown
        ? `${source.file} has errors: the configuration stays as it is`
        : `${source.file} no longer has an agent ${source.agent}: the configuration stays as it is`,
    )
    return undefined
  }

  async #version(): Promise<Version | undefined> {
    try {
      const { mtimeNs, size } = await stat(this.#options.source.file, { bigint: true })
      return { modifiedNs: mtimeNs, size }
    } catch (error) {
      this.#options.logger.debug(`${this.#options.source.file} cannot be looked at`, error)
      return undefined
    }
  }
}

/** Two writes within one tick of the file system's clock differ by size at least. */
function isNewer(version: Version, loaded: Version | undefined): boolean {
  if (loaded === undefined) return true
  if (version.modifiedNs === loaded.modifiedNs) return version.size !== loaded.size
  return version.modifiedNs > loaded.modifiedNs
}
