import type { AgentConfiguration } from '@millrace/agent-core'
import { locate, type Location, type LocationOptions } from '../channel/location.js'
import { UsageError } from '../exit-code.js'
import type { Terminal } from '../terminal.js'

/**
 * As {@link locate}; without `-c` it is the agent's dead-letter channel, if it has one only.
 * @throws UsageError for a channel of the agent that is no dead-letter channel of its sinks.
 */
export async function locateLetters(
  options: LocationOptions,
  terminal: Terminal,
): Promise<Location> {
  const location = await locate(options, terminal, onlyDeadLetterChannel)
  const { agent, channel } = location
  if (agent && channel !== undefined && !deadLetterChannels(agent).has(channel)) {
    throw new UsageError(
      `channel ${channel} is the deadLetterChannel of no sink: it has no dead letters`,
    )
  }
  return location
}

function onlyDeadLetterChannel(agent: AgentConfiguration): string | undefined {
  const names = deadLetterChannels(agent)
  const [only] = names
  return names.size === 1 ? only : undefined
}

function deadLetterChannels({ sinks }: AgentConfiguration): Set<string> {
  return new Set(sinks.flatMap(({ deadLetterChannel }) => deadLetterChannel ?? []))
}
