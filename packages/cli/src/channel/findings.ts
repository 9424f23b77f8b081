import type { Finding } from '@millrace/wal'
import { printableLine } from '../receive/printable.js'

/** One line for each finding; nothing when there are none. */
export function formatFindings(findings: readonly Finding[]): string {
  return findings
    .map(({ kind, message, path }) => printableLine(`${kind.padEnd(10)} ${path}: ${message}`))
    .map((line) => `${line}\n`)
    .join('')
}

/** One JSON value and a line feed. What is undefined is null, so that every key is always there. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, (_, each: unknown) => (each === undefined ? null : each), 2)}\n`
}
