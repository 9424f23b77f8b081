/** The channels that retried events go back to. */
import type { AgentConfiguration, ChannelConfiguration } from '@millrace/agent-core'
import { type Channel, ChannelCounters } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import { createLogger, type Logger, messageOf, systemClock } from '@millrace/runtime'
import { channelIn } from '../channel/location.js'
import { UsageError } from '../exit-code.js'
import type { Terminal } from '../terminal.js'

const STOP_MS = 10_000

/** Opens each channel when it is first needed, and puts events into it as a source would. */
export class TargetChannels {
  readonly #agent: AgentConfiguration
  readonly #logger: Logger
  readonly #channels = new Map<string, Channel>()
  readonly #signal = new AbortController().signal

  constructor(agent: AgentConfiguration, { stderr }: Terminal) {
    this.#agent = agent
    this.#logger = createLogger({ level: 'warn', write: (line) => stderr.write(line) })
  }

  /** The channel that a sink takes from; undefined when the agent has no such sink. */
  channelOf(sink: string | undefined): string | undefined {
    return this.#agent.sinks.find(({ name }) => name === sink)?.channel
  }

  /**
   * Stores a batch in a channel.
   * @throws LogError `MILLRACE_LOG_IN_USE` when the agent runs; ChannelError when the channel is full.
   */
  async put(name: string, batch: EventBatch): Promise<void> {
    const channel = this.#channels.get(name) ?? (await this.#open(name))
    for (let from = 0; from < batch.size; from += channel.transactionCapacity) {
      const part = batch.slice(from, from + channel.transactionCapacity)
      const size = { events: part.size, bytes: part.retainedBytes }
      const reservation = await channel.reserve(size, { wait: false, signal: this.#signal })
      await reservation.put(part)
    }
  }

  async close(): Promise<void> {
    for (const channel of this.#channels.values()) await channel.stop?.({ deadlineMs: STOP_MS })
  }

  async #open(name: string): Promise<Channel> {
    const channel = this.#make(channelIn(this.#agent, name))
    if (!channel.isDurable) {
      throw new UsageError(
        `channel ${name} ends with the process, so nothing can be put back into it; use --to`,
      )
    }
    await channel.start?.({
      signal: this.#signal,
      counters: new ChannelCounters(),
      fail: (error) => this.#logger.error(`channel ${name} failed: ${messageOf(error)}`),
    })
    this.#channels.set(name, channel)
    return channel
  }

  #make({ definition, name, options }: ChannelConfiguration): Channel {
    const { agent } = this.#agent
    const logger = this.#logger.child(`channel ${name}`)
    const host = { agent, name, options, logger, clock: systemClock, random: Math.random }
    return definition.create(host)
  }
}
