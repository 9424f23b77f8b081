/** From the files of a configuration to a checked configuration of one agent. Starts and touches nothing. */
import { dirname, resolve } from 'node:path'
import type { ConfigFilter } from '@millrace/component'
import { messageOf, silentLogger, systemClock } from '@millrace/runtime'
import { type BuiltinComponent, builtinComponents } from '../registry.js'
import { AgentCheck } from './agent-check.js'
import type { AgentConfiguration } from './agent-configuration.js'
import { type AgentSection, readSection } from './agent-section.js'
import { checkComponent, loadDefinition } from './component-check.js'
import { ComponentTypes } from './component-types.js'
import {
  type ConfigurationDocument,
  type ParsedDocument,
  parseDocument,
} from './documents/document.js'
import { noteWiring, type OptionNote } from './explanation.js'
import { type Finding, FindingList, type LineOrigin } from './finding.js'
import { listedComponents } from './lists.js'
import type { BasicCredentials } from './locations/http.js'
import { locationOf } from './locations/location.js'
import { Lookups } from './lookups/lookups.js'
import { planConfigFilter } from './plans.js'
import type { PropertyEntry } from './properties.js'

export interface LoadConfigurationOptions {
  /**
   * Path or web address of the file, or of several: a later one replaces keys of those before it.
   * Findings name them as given here. `.json`, `.yaml`, `.yml`, `.js`, `.mjs` and `.cjs` say what a
   * file is; every other one is a properties file.
   */
  readonly file: string | readonly string[]
  readonly agent: string
  /** For web addresses that do not name a user themselves. */
  readonly credentials?: BasicCredentials | undefined
  /** Where modules that a `type` names are looked for, after the files' own folders. */
  readonly confDirectory?: string | undefined
  /** What `${sys:key}` gives, and what options inherit. */
  readonly systemProperties?: Readonly<Record<string, string>>
  /** What `${env:NAME}` gives, and what options inherit. Default: that of the process. */
  readonly environment?: NodeJS.ProcessEnv
  /** Makes unknown keys warnings. */
  readonly lenient?: boolean
  /** What a `type` can name beside modules. Default: everything that comes with the agent. */
  readonly components?: readonly BuiltinComponent[]
  /** What `${date:…}` gives. Default: the moment of the call. */
  readonly now?: Date
}

export interface LoadedConfiguration {
  /** In the order of the files. */
  readonly findings: readonly Finding[]
  /** Whether the files say anything about the agent. */
  readonly isAgentKnown: boolean
  /** Only when the agent is known and no finding is an error. */
  readonly configuration?: AgentConfiguration
  /** Every key of every component with its value and where that comes from. */
  readonly notes: readonly OptionNote[]
  /** All entries of all files as they are written, in their order. */
  readonly entries: readonly PropertyEntry[]
}

/** Rounds of lookups whose names hold lookups themselves. */
const MAX_ROUNDS = 8

export const filesOf = ({ file }: Pick<LoadConfigurationOptions, 'file'>): readonly string[] =>
  typeof file === 'string' ? [file] : file

/**
 * Reads the files and checks one agent's section. Of other code only the definitions of the
 * components that the section names are loaded.
 * @throws ConfigurationError `MILLRACE_CONFIG_UNREADABLE` when a file cannot be read.
 */
export async function loadConfiguration(
  options: LoadConfigurationOptions,
): Promise<LoadedConfiguration> {
  const documents: ConfigurationDocument[] = []
  for (const each of filesOf(options)) {
    documents.push(await locationOf(each, options.credentials).read())
  }
  return loadDocuments(documents, options)
}

/** As {@link loadConfiguration}, from what was read already. */
export async function loadDocuments(
  documents: readonly ConfigurationDocument[],
  options: LoadConfigurationOptions,
): Promise<LoadedConfiguration> {
  const parsed: ParsedDocument[] = []
  for (const each of documents) parsed.push(await parseDocument(each))
  return new Loading(documents, parsed, options).run()
}

class Loading {
  readonly #options: LoadConfigurationOptions
  readonly #entries: readonly PropertyEntry[]
  readonly #origins: readonly LineOrigin[]
  /** What holds of the files whatever their keys say. */
  readonly #early: FindingList
  readonly #lookups: Lookups
  readonly #types: ComponentTypes
  readonly #surroundings: {
    readonly environment: NodeJS.ProcessEnv
    readonly systemProperties: Readonly<Record<string, string>>
  }

  constructor(
    documents: readonly ConfigurationDocument[],
    parsed: readonly ParsedDocument[],
    options: LoadConfigurationOptions,
  ) {
    this.#options = options
    this.#surroundings = {
      environment: options.environment ?? process.env,
      systemProperties: options.systemProperties ?? {},
    }
    const origins: LineOrigin[] = []
    const entries: PropertyEntry[] = []
    let linesBefore = 0
    for (const [index, { entries: own, lineCount }] of parsed.entries()) {
      origins.push({ file: documents[index]?.name ?? '', linesBefore })
      const before = linesBefore
      entries.push(...own.map((entry) => ({ ...entry, line: entry.line + before })))
      linesBefore += lineCount
    }
    this.#origins = origins
    this.#entries = entries
    this.#early = new FindingList(origins)
    for (const [index, { problems }] of parsed.entries()) {
      const before = origins[index]?.linesBefore ?? 0
      for (const { key, line, message } of problems) {
        const place = { key: key || options.agent, line: line + before }
        this.#early.error('MILLRACE_CONFIG_INVALID', place, message)
      }
    }
    this.#lookups = new Lookups({ ...this.#surroundings, now: options.now ?? new Date() })
    this.#types = new ComponentTypes({
      builtin: [
        ...parsed.flatMap(({ components }) => components),
        ...(options.components ?? builtinComponents),
      ],
      moduleDirectories: [
        ...documents.map(({ name }) => dirname(resolve(name))),
        ...(options.confDirectory === undefined ? [] : [resolve(options.confDirectory)]),
        process.cwd(),
      ],
    })
  }

  async run(): Promise<LoadedConfiguration> {
    const { lenient: isLenient = false } = this.#options
    let { section, findings } = await this.#settledSection()
    const entries = this.#entries
    const isBroken = this.#early.errorCount > 0
    if (!section.isKnown) {
      if (isBroken)
        return { findings: this.#early.sorted(), isAgentKnown: true, notes: [], entries }
      return { findings: findings.sorted(), isAgentKnown: false, notes: [], entries }
    }
    const ofFilters = new FindingList(this.#origins)
    const notes: OptionNote[] = []
    const check = { types: this.#types, isLenient, surroundings: this.#surroundings, notes }
    if (section.lists.has('configfilters') || section.components.configfilters.size > 0) {
      await this.#addFilters(section, { ...check, findings: ofFilters })
      ;({ section, findings } = await this.#settledSection())
    }
    const configuration = await new AgentCheck(section, { ...check, findings }).run()
    noteWiring(section, { findings, notes })
    findings.addAll(ofFilters)
    findings.addAll(this.#early)
    return {
      findings: findings.sorted(),
      isAgentKnown: true,
      notes,
      entries,
      ...(findings.errorCount === 0 ? { configuration } : {}),
    }
  }

  /** The section once every lookup has been answered. */
  async #settledSection(): Promise<{ section: AgentSection; findings: FindingList }> {
    const { agent, lenient: isLenient = false } = this.#options
    const sources = { ...this.#surroundings, lookups: this.#lookups }
    for (let round = 1; ; round += 1) {
      const findings = new FindingList(this.#origins)
      const section = readSection(this.#entries, { agent, isLenient, sources }, findings)
      if (!this.#lookups.isPending || round === MAX_ROUNDS) return { section, findings }
      await this.#lookups.settle()
    }
  }

  async #addFilters(
    section: AgentSection,
    options: Parameters<typeof loadDefinition>[1],
  ): Promise<void> {
    const { findings } = options
    for (const listed of listedComponents(section, 'configfilters', findings)) {
      const plan = planConfigFilter(listed)
      const definition = await loadDefinition(plan, options)
      if (!definition) continue
      const { configuration, isSound } = checkComponent(plan, definition, options)
      if (!isSound) continue
      try {
        const filter: ConfigFilter = configuration.definition.create({
          agent: section.agent,
          name: listed.name,
          options: configuration.options,
          logger: silentLogger,
          clock: systemClock,
          random: Math.random,
          environment: this.#surroundings.environment,
        })
        this.#lookups.addFilter(listed.name, filter)
      } catch (error) {
        const place = { key: plan.typeKey, line: plan.listLine }
        findings.error('MILLRACE_CONFIG_INVALID', place, `could not be made: ${messageOf(error)}`)
      }
    }
  }
}
