import type { AgentConfiguration } from '@millrace/agent-core'
import { locate, type Location, type LocationOptions } from '../channel/location.js'
import type { Terminal } from '../terminal.js'

/** As {@link locate}; without `-c` it is the agent's dead-letter channel, if it has one only. */
export function locateLetters(options: LocationOptions, terminal: Terminal): Promise<Location> {
  return locate(options, terminal, onlyDeadLetterChannel)
}

function onlyDeadLetterChannel({ sinks }: AgentConfiguration): string | undefined {
  const names = new Set(sinks.flatMap(({ deadLetterChannel }) => deadLetterChannel ?? []))
  const [only] = names
  return names.size === 1 ? only : undefined
}
