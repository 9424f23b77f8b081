/** An agent within an application, fed by calls: Flume's EmbeddedAgent. */
import { type Deliver, defineSource, type SourceCounters } from '@millrace/component'
import { EventBatch } from '@millrace/event'
import {
  ConfigurationError,
  EventDeliveryError,
  LifecycleError,
  type Logger,
  messageOf,
  silentLogger,
} from '@millrace/runtime'
import { Agent } from '../agent.js'
import { AgentCheck } from '../configuration/agent-check.js'
import type { AgentConfiguration } from '../configuration/agent-configuration.js'
import { readSection } from '../configuration/agent-section.js'
import { ComponentTypes } from '../configuration/component-types.js'
import { FindingList } from '../configuration/finding.js'
import { Lookups } from '../configuration/lookups/lookups.js'
import { parseProperties } from '../configuration/properties.js'
import type { Metrics } from '../monitoring/metrics.js'
import { builtinComponents } from '../registry.js'
import { agentProperties } from './embedded-keys.js'

/** An event as an application gives it. */
export type EmbeddedEvent =
  Parameters<typeof EventBatch.of>[0] extends Iterable<infer E> ? E : never

export interface EmbeddedAgentOptions {
  /** Default: none. */
  readonly logger?: Logger
}

const DEFAULT_STOP_MS = 10_000

/** What the source of the agent hands to calls. */
interface Inlet {
  deliver: Deliver | undefined
  counters: SourceCounters | undefined
}

/**
 * One source, one channel and a group of sinks within this process. `put` and `putAll` resolve when the channel has
 * stored the events: with a file channel they survive the process.
 */
export class EmbeddedAgent {
  readonly #name: string
  readonly #logger: Logger
  readonly #inlet: Inlet = { deliver: undefined, counters: undefined }
  #configuration: AgentConfiguration | undefined
  #agent: Agent | undefined

  constructor(name: string, options: EmbeddedAgentOptions = {}) {
    this.#name = name
    this.#logger = options.logger ?? silentLogger
  }

  /**
   * Takes Flume's keys: `channel.type = memory`, `sinks = k1`, `k1.type = avro`, `processor.type = default` …
   * @throws ConfigurationError with everything that is wrong, LifecycleError while it runs.
   */
  async configure(properties: Readonly<Record<string, string>>): Promise<void> {
    if (this.#agent) throw new LifecycleError('MILLRACE_LIFECYCLE_STATE', 'The agent is running')
    const all = agentProperties(this.#name, properties)
    this.#configuration = await check(this.#name, all, embeddedSource(this.#inlet))
  }

  /** @throws LifecycleError when it has no configuration, runs already, or a component does not start. */
  async start(): Promise<void> {
    if (!this.#configuration || this.#agent) {
      const why = this.#agent ? 'running already' : 'not configured'
      throw new LifecycleError('MILLRACE_LIFECYCLE_STATE', `The agent is ${why}`)
    }
    const agent = new Agent({ logger: this.#logger })
    this.#agent = agent
    try {
      await agent.start(this.#configuration)
    } catch (error) {
      this.#agent = undefined
      throw error
    }
  }

  /** Takes no more events and lets the sinks drain a memory channel, within the deadline. */
  async stop(
    options: { readonly deadlineMs: number } = { deadlineMs: DEFAULT_STOP_MS },
  ): Promise<void> {
    const agent = this.#agent
    this.#agent = undefined
    this.#inlet.deliver = undefined
    await agent?.stop(options)
  }

  /** Resolves when the channel has stored the event. @throws EventDeliveryError when it has not, LifecycleError when it does not run. */
  put(event: EmbeddedEvent): Promise<void> {
    return this.putAll([event])
  }

  /** Stores all of the events or none. @throws as {@link put}. */
  async putAll(events: readonly EmbeddedEvent[]): Promise<void> {
    const { deliver, counters } = this.#inlet
    if (!deliver || !counters)
      throw new LifecycleError('MILLRACE_LIFECYCLE_STATE', 'The agent is not running')
    counters.eventReceivedCount += events.length
    counters.appendBatchReceivedCount += 1
    try {
      await deliver(EventBatch.of(events))
    } catch (error) {
      counters.channelWriteFail += 1
      throw new EventDeliveryError('MILLRACE_DELIVERY_FAILED', messageOf(error), { cause: error })
    }
    counters.eventAcceptedCount += events.length
    counters.appendBatchAcceptedCount += 1
  }

  metrics(): Metrics {
    return this.#agent?.metrics() ?? {}
  }
}

function embeddedSource(inlet: Inlet) {
  return defineSource({
    alias: 'embedded',
    classNames: [],
    summary: 'Takes the events that the application puts.',
    options: {},
    create: () => ({
      start: async ({ deliver, counters }) => {
        inlet.deliver = deliver
        inlet.counters = counters
      },
      stop: async () => {
        inlet.deliver = undefined
      },
    }),
  })
}

/** Nothing is substituted: values are the application's own. */
async function check(
  agent: string,
  properties: Readonly<Record<string, string>>,
  source: ReturnType<typeof embeddedSource>,
): Promise<AgentConfiguration> {
  const findings = new FindingList('embedded agent')
  const escape = (text: string) => text.replaceAll(/[\\=:\s#!]/g, '\\$&')
  const literal = (value: string) => value.replaceAll('${', () => '$${')
  const text = Object.entries(properties).map(
    ([key, value]) => `${escape(key)}=${escape(literal(value))}`,
  )
  const nothing = { environment: {}, systemProperties: {} }
  const sources = { ...nothing, lookups: new Lookups({ ...nothing, now: new Date() }) }
  const section = readSection(
    parseProperties(Buffer.from(text.join('\n'))),
    { agent, isLenient: false, sources },
    findings,
  )
  const own = {
    kind: 'source',
    alias: 'embedded',
    classNames: [],
    load: async () => source,
  } as const
  const types = new ComponentTypes({
    builtin: [...builtinComponents, own],
    moduleDirectories: [process.cwd()],
  })
  const surroundings = { environment: process.env, systemProperties: {} }
  const configuration = await new AgentCheck(section, {
    types,
    findings,
    isLenient: false,
    surroundings,
  }).run()
  if (findings.errorCount === 0) return configuration
  const wrong = findings
    .sorted()
    .filter(({ severity }) => severity === 'error')
    .map(({ key, message }) => `${key}: ${message}`)
  throw new ConfigurationError('MILLRACE_CONFIG_INVALID', wrong.join('; '))
}
