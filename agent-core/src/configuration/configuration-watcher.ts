/** Notices when a configuration changes: a newer file, another answer of a web server. */
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
import type { ConfigurationDocument } from './documents/document.js'
import {
  filesOf,
  type LoadConfigurationOptions,
  loadDocuments,
  type LoadedConfiguration,
} from './load-configuration.js'
import { ConfigurationBackup } from './locations/backup.js'
import { type Location, locationOf } from './locations/location.js'

export interface ConfigurationWatcherOptions {
  readonly source: LoadConfigurationOptions
  /** Time between two looks at the files, in milliseconds. */
  readonly pollIntervalMs: number
  readonly logger: Logger
  readonly clock?: Clock
  /** Where a copy of what was read last is kept, and read when nothing else can be. */
  readonly backupDirectory?: string | undefined
}

/**
 * Loads a configuration and, on request, watches it. A file that is gone, unreadable, older, without
 * the agent, or that has an error changes nothing; what is wrong is logged once for each version.
 */
export class ConfigurationWatcher {
  readonly #options: ConfigurationWatcherOptions
  readonly #locations: readonly Location[]
  readonly #backup: ConfigurationBackup | undefined
  #request: Deferred<void> = deferred()
  #isRequested = false

  /** @throws ConfigurationError `MILLRACE_CONFIG_UNREADABLE` for an address that cannot be read. */
  constructor(options: ConfigurationWatcherOptions) {
    const { source, backupDirectory } = options
    this.#options = options
    this.#locations = filesOf(source).map((each) => locationOf(each, source.credentials))
    if (backupDirectory !== undefined) {
      this.#backup = new ConfigurationBackup({ directory: backupDirectory, agent: source.agent })
    }
  }

  /**
   * The first load. A change made after it is seen by {@link watch}. When nothing can be read, the copy
   * in the backup directory is loaded.
   * @throws ConfigurationError `MILLRACE_CONFIG_UNREADABLE` when there is none either.
   */
  async load(): Promise<LoadedConfiguration> {
    const { source, logger } = this.#options
    let documents: readonly ConfigurationDocument[]
    try {
      documents = await this.#read()
    } catch (error) {
      const copy = await this.#backup?.read()
      if (!copy) throw error
      logger.error(`the copy ${copy.name} is used instead of the configuration`, error)
      return loadDocuments([copy], source)
    }
    this.#accept()
    const loaded = await loadDocuments(documents, source)
    await this.#keepCopy(loaded)
    return loaded
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
        logger.error(`reloading ${this.#name} failed`, error)
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
    const name = this.#name
    const states = await Promise.all(this.#locations.map((location) => location.look()))
    if (states.includes('gone')) {
      const gone = this.#locations.filter((_, index) => states[index] === 'gone')
      const line = `${gone.map((each) => each.name).join(', ')} is gone: the configuration stays as it is`
      if (isRequested) logger.warn(line)
      else logger.debug(line)
      return undefined
    }
    if (!isRequested && !states.includes('changed')) return undefined
    logger.info(`${name} ${isRequested ? 'is' : 'has changed and is'} read again`)
    let documents: readonly ConfigurationDocument[]
    try {
      documents = await this.#read()
    } catch (error) {
      // Half-way through a rename, for instance: the version is not remembered, so it is tried again.
      if (MillraceError.is(error) && error.code === 'MILLRACE_CONFIG_UNREADABLE') {
        logger.warn('the configuration stays as it is', error)
        return undefined
      }
      throw error
    }
    this.#accept()
    const loaded = await loadDocuments(documents, source)
    const configuration = this.#judge(loaded)
    await this.#keepCopy(loaded)
    return configuration
  }

  get #name(): string {
    return this.#locations.map(({ name }) => name).join(', ')
  }

  async #read(): Promise<ConfigurationDocument[]> {
    const documents: ConfigurationDocument[] = []
    for (const location of this.#locations) documents.push(await location.read())
    return documents
  }

  #accept(): void {
    for (const location of this.#locations) location.accept()
  }

  async #keepCopy({ configuration, entries }: LoadedConfiguration): Promise<void> {
    if (!this.#backup || !configuration) return
    try {
      await this.#backup.write(entries)
    } catch (error) {
      this.#options.logger.error('no copy of the configuration could be kept', error)
    }
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
        ? `${this.#name} has errors: the configuration stays as it is`
        : `${this.#name} no longer has an agent ${source.agent}: the configuration stays as it is`,
    )
    return undefined
  }
}
