/** System properties that a Flume agent knows and that have nothing to act upon here. */
import type { Logger } from '@millrace/runtime'

/** Why each of them has no effect. */
export const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  'flume.called.from.service': 'a file that is missing always ends the start, as in Flume 1.11',
  'org.apache.flume.log.printconfig': 'values of a configuration are never logged',
  'org.apache.flume.log.rawdata': 'events are logged by the logger sink alone',
  JndiAllowedProtocols: 'there is no JNDI',
}

/** Says which properties of the command line do nothing. */
export function warnOfProperties(
  properties: Readonly<Record<string, string>>,
  logger: Logger,
): void {
  for (const name of Object.keys(properties)) {
    const reason = WITHOUT_EFFECT[name]
    if (reason !== undefined) logger.warn(`-D${name} has no effect: ${reason}`)
  }
}
