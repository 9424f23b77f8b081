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

/** A file among those of one configuration. Lines are counted through all of them. */
export interface LineOrigin {
  readonly file: string
  /** How many lines stand in the files before it. */
  readonly linesBefore: number
}

/** Gathers what is wrong with the files of one configuration. */
export class FindingList {
  readonly #origins: readonly LineOrigin[]
  readonly #findings: { readonly at: number; readonly finding: Finding }[] = []

  /** `origins` in the order of the files; a single file may be given by its name. */
  constructor(origins: string | readonly LineOrigin[]) {
    this.#origins = typeof origins === 'string' ? [{ file: origins, linesBefore: 0 }] : origins
  }

  /** The file and the line in it for a line counted through all files. */
  originOf(line: number): { readonly file: string; readonly line: number } {
    const origin = this.#origins.findLast(({ linesBefore }) => linesBefore < line)
    const { file, linesBefore } = origin ?? this.#origins[0] ?? { file: '', linesBefore: 0 }
    return { file, line: line - linesBefore }
  }

  /** `line 3`, or `other.properties:3` where a reader could take it for a line of this place's file. */
  describeLine(line: number, from: Place): string {
    const { file, line: shown } = this.originOf(line)
    return file === this.originOf(from.line).file ? `line ${shown}` : `${file}:${shown}`
  }

  add(severity: Finding['severity'], code: FindingCode, place: Place, message: string): void {
    const { file, line } = this.originOf(place.line)
    const finding = { file, line, severity, code, key: place.key, message }
    this.#findings.push({ at: place.line, finding })
  }

  error(code: FindingCode, place: Place, message: string): void {
    this.add('error', code, place, message)
  }

  warning(code: FindingCode, place: Place, message: string): void {
    this.add('warning', code, place, message)
  }

  /** Takes over what another list of the same files has gathered. */
  addAll(other: FindingList): void {
    this.#findings.push(...other.#findings)
  }

  get errorCount(): number {
    return this.#findings.filter(({ finding }) => finding.severity === 'error').length
  }

  /** In the order of the files; on one line in the order of discovery. */
  sorted(): Finding[] {
    return this.#findings.toSorted((a, b) => a.at - b.at).map(({ finding }) => finding)
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
