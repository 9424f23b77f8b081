import type { ErrorCode } from '@millrace/runtime'

export type FindingCode = Extract<ErrorCode, `MILLRACE_CONFIG_${string}`>

/** One thing that is wrong, or odd, in a configuration. */
export interface Finding {
  readonly file: string
  readonly line: number
  readonly severity: 'error' | 'warning'
  readonly code: FindingCode
  /** The whole key, agent name included. */
  readonly key: string
  readonly message: string
}

/** `file:line: severity code key: message`, always on one line. */
export function formatFinding(finding: Finding): string {
  const { file, line, severity, code, key, message } = finding
  return oneLine(`${file}:${line}: ${severity} ${code} ${key}: ${message}`)
}

/** Where something stands. */
export interface Place {
  readonly key: string
  readonly line: number
}

/** Gathers what is wrong with one file. */
export class FindingList {
  readonly file: string
  readonly #findings: Finding[] = []

  constructor(file: string) {
    this.file = file
  }

  add(severity: Finding['severity'], code: FindingCode, place: Place, message: string): void {
    const { key, line } = place
    this.#findings.push({ file: this.file, line, severity, code, key, message })
  }

  error(code: FindingCode, place: Place, message: string): void {
    this.add('error', code, place, message)
  }

  warning(code: FindingCode, place: Place, message: string): void {
    this.add('warning', code, place, message)
  }

  get errorCount(): number {
    return this.#findings.filter((each) => each.severity === 'error').length
  }

  /** In the order of the file; on one line in the order of discovery. */
  sorted(): Finding[] {
    return this.#findings.toSorted((a, b) => a.line - b.line)
  }
}

const MAX_SHOWN_CHARS = 80

/** A value in a message: quoted, short. */
export function quote(text: string): string {
  return `"${text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text}"`
}

function oneLine(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\u2028\u2029]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
