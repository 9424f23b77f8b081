/**
 * Checks an agent's section as a whole: lists, components, wiring. Reports everything at once; the
 * configuration it gives is only worth something when no finding is an error.
 */
import type { ComponentDefinition } from '@millrace/component'
import type {
  AgentConfiguration,
  ComponentConfiguration,
  SinkConfiguration,
  SinkGroupConfiguration,
  SourceConfiguration,
} from './agent-configuration.js'
import type { AgentSection, Setting } from './agent-section.js'
import {
  type CheckedComponent,
  checkComponent,
  type CheckOptions,
  type ComponentPlan,
  loadDefinition,
  planNamedComponent,
} from './component-check.js'
import { checkDeadLetters } from './dead-letter-check.js'
import type { Place } from './finding.js'
import { type Listed, listedComponents, readRequiredNames, reportUnknownName } from './lists.js'
import {
  planChannel,
  planInterceptors,
  planProcessor,
  planSelector,
  planSink,
  planSource,
} from './plans.js'
import { checkBatchSizes, checkDirectories, checkUse } from './wiring-check.js'

interface Wired<K extends 'source' | 'sink', C> {
  /** Undefined when its type is unknown. */
  readonly checked: CheckedComponent<K> | undefined
  /** The names that it is wired to, known or not. */
  readonly channels: readonly string[]
  /** Undefined when it cannot be built. */
  readonly configuration: C | undefined
}

const isPresent = <T>(value: T | undefined): value is T => value !== undefined

export class AgentCheck {
  readonly #section: AgentSection
  readonly #options: CheckOptions
  readonly #channels: readonly Listed[]

  constructor(section: AgentSection, options: CheckOptions) {
    this.#section = section
    this.#options = options
    this.#channels = this.#list('channels')
  }

  async run(): Promise<AgentConfiguration> {
    const { findings } = this.#options
    this.#checkLists()
    const channels = (await each(this.#channels, (listed) => this.#channel(listed))).filter(
      isPresent,
    )
    const sources = await each(this.#list('sources'), (listed) => this.#source(listed))
    const listedSinks = this.#list('sinks')
    const sinks = await each(listedSinks, (listed) => this.#sink(listed))
    const draining = listedSinks.map((listed, i) => ({ listed, channel: sinks[i]?.channels[0] }))
    const deadLetters = checkDeadLetters(this.#section, draining, findings)
    const groupedBy = new Map<string, string>()
    const groups = await each(this.#list('sinkgroups'), (listed) => this.#group(listed, groupedBy))
    checkBatchSizes(channels, [...sources, ...sinks], findings)
    checkDirectories(channels, findings)
    checkUse(
      this.#channels,
      {
        bySources: new Set(sources.flatMap((source) => source.channels)),
        bySinks: new Set(sinks.flatMap((sink) => sink.channels)),
        byDeadLetters: new Set(deadLetters.values()),
      },
      findings,
    )
    return {
      agent: this.#section.agent,
      sources: sources.map(({ configuration }) => configuration).filter(isPresent),
      channels: channels.map(({ configuration }) => configuration),
      sinks: sinks
        .map(({ configuration }) => configuration)
        .filter(isPresent)
        .map((sink) => ({ ...sink, deadLetterChannel: deadLetters.get(sink.name) })),
      sinkGroups: groups.filter(isPresent),
    }
  }

  #list(family: 'sources' | 'channels' | 'sinks' | 'sinkgroups'): Listed[] {
    return listedComponents(this.#section, family, this.#options.findings)
  }

  /** An agent needs channels, and a source or a sink. */
  #checkLists(): void {
    const { agent, lists } = this.#section
    const { findings } = this.#options
    const report = (name: string, setting: Setting | undefined, message: string) =>
      findings.error(
        setting ? 'MILLRACE_CONFIG_INVALID' : 'MILLRACE_CONFIG_MISSING',
        setting ?? { key: `${agent}.${name}`, line: 1 },
        message,
      )
    const isEmpty = (setting: Setting | undefined) =>
      setting === undefined || (setting.isUsable && setting.value === '')
    const channels = lists.get('channels')
    if (isEmpty(channels)) report('channels', channels, 'the agent needs channels')
    const sources = lists.get('sources')
    const sinks = lists.get('sinks')
    if (isEmpty(sources) && isEmpty(sinks)) {
      report('sources', sources ?? sinks, 'the agent needs sources or sinks')
    }
  }

  async #channel(listed: Listed): Promise<CheckedComponent<'channel'> | undefined> {
    const plan = planChannel(listed)
    const definition = await loadDefinition(plan, this.#options)
    return definition && checkComponent(plan, definition, this.#options)
  }

  async #source(listed: Listed): Promise<Wired<'source', SourceConfiguration>> {
    const { findings } = this.#options
    const channels = this.#channelsOf(listed)
    const plan = planSource(listed)
    const definition = await loadDefinition(plan, this.#options)
    const checked = definition && checkComponent(plan, definition, this.#options)

    const selectorPlan = planSelector(listed)
    const selectorDefinition = await loadDefinition(selectorPlan, this.#options)
    const selector =
      selectorDefinition &&
      checkComponent(selectorPlan, selectorDefinition, {
        ...this.#options,
        wiring: { channels, sinks: [] },
      })

    const interceptors: ComponentConfiguration<'interceptor'>[] = []
    for (const interceptorPlan of planInterceptors(listed, findings)) {
      const interceptor = await loadDefinition(interceptorPlan, this.#options)
      if (interceptor) {
        interceptors.push(checkComponent(interceptorPlan, interceptor, this.#options).configuration)
      }
    }
    const named = checked && (await this.#namedBy(plan, definition))
    const configuration = checked &&
      selector && {
        named,
        ...checked.configuration,
        channels,
        selector: selector.configuration,
        interceptors,
      }
    return { checked, channels, configuration }
  }

  /** What a source's options name: a deserializer, or a handler. */
  async #namedBy(
    sourcePlan: ComponentPlan,
    sourceDefinition: ComponentDefinition,
  ): Promise<SourceConfiguration['named']> {
    const plan = planNamedComponent(sourcePlan, sourceDefinition)
    const definition = plan && (await loadDefinition(plan, this.#options))
    if (!definition) return undefined
    const kind = plan.kind === 'httpHandler' ? 'httpHandler' : 'deserializer'
    return checkComponent({ ...plan, kind }, definition, this.#options).configuration
  }

  #channelsOf({ name, settings, listLine }: Listed): string[] {
    const setting = settings.get('channels')
    const missing = {
      key: `${settings.prefix}channels`,
      line: settings.get('type')?.line ?? listLine,
      message: `the source ${name} needs channels to write to`,
    }
    const names = readRequiredNames(setting, missing, this.#options.findings)
    for (const channel of names) this.#checkChannelName(channel, setting ?? missing)
    return names
  }

  async #sink(listed: Listed): Promise<Wired<'sink', SinkConfiguration>> {
    const channels = this.#channelOf(listed)
    const plan = planSink(listed)
    const definition = await loadDefinition(plan, this.#options)
    if (definition === undefined) return { checked: undefined, channels, configuration: undefined }
    const checked = checkComponent(plan, definition, this.#options)
    const serializerPlan = planNamedComponent(plan, definition)
    const serializerDefinition =
      serializerPlan && (await loadDefinition(serializerPlan, this.#options))
    const serializer =
      serializerDefinition &&
      checkComponent({ ...serializerPlan, kind: 'serializer' }, serializerDefinition, this.#options)
        .configuration
    const [channel = ''] = channels
    const wiring = { channel, deadLetterChannel: undefined, serializer }
    return { checked, channels, configuration: { ...checked.configuration, ...wiring } }
  }

  /** The sink's channel: one name, as Flume wants it. */
  #channelOf({ name, settings, listLine }: Listed): string[] {
    const { findings } = this.#options
    const setting = settings.get('channel')
    const missing = {
      key: `${settings.prefix}channel`,
      line: settings.get('type')?.line ?? listLine,
      message: `the sink ${name} needs a channel to take from`,
    }
    const names = readRequiredNames(setting, missing, findings)
    if (setting && setting.value.split(/\s+/).length > 1) {
      findings.error('MILLRACE_CONFIG_INVALID', setting, 'a sink takes from one channel only')
    }
    for (const channel of names) this.#checkChannelName(channel, setting ?? missing)
    return names
  }

  #checkChannelName(name: string, place: Place): void {
    const setting = this.#section.lists.get('channels')
    if (setting?.isUsable === false) return
    const known = setting?.value.split(/\s+/).filter(Boolean) ?? []
    if (known.includes(name)) return
    reportUnknownName(place, { name, noun: 'channel', known }, this.#options.findings)
  }

  async #group(
    listed: Listed,
    groupedBy: Map<string, string>,
  ): Promise<SinkGroupConfiguration | undefined> {
    const plan = planProcessor(listed)
    const sinks = this.#sinksOf(listed, groupedBy)
    const definition = await loadDefinition(plan, this.#options)
    if (definition === undefined) return undefined
    const wiring = { channels: [], sinks }
    const processor = checkComponent(plan, definition, { ...this.#options, wiring }).configuration
    return { name: listed.name, sinks, processor }
  }

  #sinksOf({ name, settings, listLine }: Listed, groupedBy: Map<string, string>): string[] {
    const { findings } = this.#options
    const setting = settings.get('sinks')
    const missing = {
      key: `${settings.prefix}sinks`,
      line: settings.get('processor.type')?.line ?? listLine,
      message: `the sink group ${name} needs sinks`,
    }
    const sinks = readRequiredNames(setting, missing, findings)
    const list = this.#section.lists.get('sinks')
    const known = list?.value.split(/\s+/).filter(Boolean) ?? []
    for (const sink of sinks) {
      const other = groupedBy.get(sink)
      if (!known.includes(sink) && list?.isUsable !== false) {
        reportUnknownName(setting ?? missing, { name: sink, noun: 'sink', known }, findings)
      } else if (other !== undefined) {
        const message = `the sink ${sink} is in the group ${other} already; it can be in one only`
        findings.error('MILLRACE_CONFIG_INVALID', setting ?? missing, message)
      }
      groupedBy.set(sink, name)
    }
    return sinks
  }
}

/** One after the other, so that findings on one line keep their order. */
async function each<T, R>(items: readonly T[], check: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const item of items) results.push(await check(item))
  return results
}
