import type { ErrorCode } from '@millrace/runtime'

/** One thing that is wrong, or odd, in a configuration. */
export interface Finding {
  readonly file: string
  readonly line: number
  readonly severity: 'error' | 'warning'
  readonly code: Extract<ErrorCode, `MILLRACE_CONFIG_${string}`>
  /** The whole key, agent name included. */
  readonly key: string
  readonly message: string
}

/** `file:line: severity code key: message`. */
export function formatFinding(finding: Finding): string {
  const { file, line, severity, code, key, message } = finding
  return `${file}:${line}: ${severity} ${code} ${key}: ${message}`
}
