import type { RedactedNames } from './json-value.js'

/** The option `redact`: names of fields, whatever their case, at any depth. */
export class Redaction implements RedactedNames {
  readonly #names: ReadonlySet<string>

  constructor(names: readonly string[]) {
    this.#names = new Set(names.map((name) => name.toLowerCase()))
  }

  has(name: string): boolean {
    return this.#names.has(name) || this.#names.has(name.toLowerCase())
  }
}

/** Undefined when nothing is to be redacted. */
export function redactionOf(names: readonly string[]): Redaction | undefined {
  return names.length === 0 ? undefined : new Redaction(names)
}
