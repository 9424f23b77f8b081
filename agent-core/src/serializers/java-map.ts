import type { Headers } from '@millrace/event'

/** `{k=v, k2=v2}`: headers as Java prints a map. Nothing is escaped, so it cannot be read back. */
export function formatHeaders(headers: Headers): string {
  const entries = Object.entries(headers).map(([key, value]) => `${key}=${value}`)
  return `{${entries.join(', ')}}`
}
