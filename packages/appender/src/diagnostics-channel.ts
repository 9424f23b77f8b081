import { channel } from 'node:diagnostics_channel'
import type { Diagnostic } from './diagnostics.js'

/** Name of the channel of Node's `diagnostics_channel` on which all appenders of a thread report. */
export const DIAGNOSTICS_CHANNEL = 'millrace:appender:diagnostic'

const diagnostics = channel(DIAGNOSTICS_CHANNEL)

/** Publishes a report, whatever else becomes of it. A subscriber that throws is Node's to report. */
export function publish(diagnostic: Diagnostic): void {
  if (diagnostics.hasSubscribers) diagnostics.publish(diagnostic)
}
