/**
 * `${…}` in values. `${prefix:name}` asks a lookup (`${env:X}` a variable of the environment),
 * `${filter['key']}` a config filter, `${a.b.c}` is another key of the files; `${X:-text}` has a
 * default; `$${` is a literal `${`. Names and defaults may hold references themselves. What comes from
 * outside is taken as it is: a password that holds `${` stays one.
 */
import type { FindingCode } from './finding.js'
import type { LookupAnswer } from './lookups/lookups.js'
import { Lookups } from './lookups/lookups.js'
import { suggest } from './suggestion.js'

export interface SubstitutionSources {
  /** Every key of the files with its last value, as written. */
  readonly properties: ReadonlyMap<string, string>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly systemProperties: Readonly<Record<string, string>>
  readonly lookups: Lookups
}

export interface SubstitutionProblem {
  readonly severity: 'error' | 'warning'
  readonly code: FindingCode
  readonly message: string
}

export interface Resolution {
  readonly text: string
  readonly problems: readonly SubstitutionProblem[]
}

/** How deep `${` may stand in `${`, and one key refer to another. */
const MAX_DEPTH = 32
/** How long a value may grow, in characters. */
const MAX_VALUE_CHARS = 1_048_576
/** A switch of Flume's launcher: a bare `${NAME}` is looked up in the environment too. */
const LEGACY_SWITCH = ['propertiesImplementation', 'org.apache.flume.node.EnvVarResolverProperties']

/** `filter['key']`, `filter["key"]` or `filter[key]`. */
const FILTER_REFERENCE = /^([^[\]\s]+)\[(['"]?)([\w.-]+)\2\]$/

export class Substitution {
  readonly #sources: SubstitutionSources
  readonly #resolved = new Map<string, Resolution>()

  constructor(sources: SubstitutionSources) {
    this.#sources = sources
  }

  /** The value of a key of the file, with every reference replaced. */
  resolve(key: string): Resolution {
    return this.#resolveKey(key, [])
  }

  #resolveKey(key: string, path: readonly string[]): Resolution {
    const known = this.#resolved.get(key)
    if (known) return known
    const expansion = new Expansion(this.#sources, [...path, key], (other, otherPath) =>
      this.#resolveKey(other, otherPath),
    )
    const text = expansion.expand(this.#sources.properties.get(key) ?? '')
    const resolution = { text, problems: expansion.problems }
    this.#resolved.set(key, resolution)
    return resolution
  }
}

type ResolveKey = (key: string, path: readonly string[]) => Resolution

/** The expansion of one value. */
class Expansion {
  readonly #problems = new Map<string, SubstitutionProblem>()
  readonly #sources: SubstitutionSources
  readonly #path: readonly string[]
  readonly #resolveKey: ResolveKey

  constructor(sources: SubstitutionSources, path: readonly string[], resolveKey: ResolveKey) {
    this.#sources = sources
    this.#path = path
    this.#resolveKey = resolveKey
  }

  get problems(): SubstitutionProblem[] {
    return [...this.#problems.values()]
  }

  expand(text: string, depth = 0): string {
    if (!text.includes('${')) return text
    if (depth > MAX_DEPTH) {
      this.#error('MILLRACE_CONFIG_INVALID', `nests more than ${MAX_DEPTH} references`)
      return text
    }
    let result = ''
    let at = 0
    while (at < text.length) {
      const start = text.indexOf('${', at)
      if (start === -1) break
      if (text[start - 1] === '$' && start > at) {
        result += `${text.slice(at, start - 1)}\${`
        at = start + 2
        continue
      }
      const end = closingBrace(text, start + 2)
      if (end === -1) {
        this.#warning(`"\${" has no closing brace and stays as written`)
        break
      }
      result += text.slice(at, start) + this.#replace(text.slice(start + 2, end), depth)
      at = end + 1
      if (result.length > MAX_VALUE_CHARS) {
        this.#error('MILLRACE_CONFIG_INVALID', `grows beyond ${MAX_VALUE_CHARS} characters`)
        return ''
      }
    }
    return result + text.slice(at)
  }

  /** What stands for `${body}`. */
  #replace(body: string, depth: number): string {
    const { rawName, rawDefault } = splitDefault(body)
    const name = this.expand(rawName, depth + 1)
    const found = this.#lookUp(name)
    if (found !== undefined) return found
    if (rawDefault !== undefined) return this.expand(rawDefault, depth + 1)
    this.#reportUnknown(name)
    return `\${${body}}`
  }

  #lookUp(name: string): string | undefined {
    const { environment, systemProperties } = this.#sources
    const [prefix, bare] = splitPrefix(name)
    const answer = this.#ask(name)
    if (answer && 'value' in answer) return answer.value
    if (answer && 'problem' in answer) {
      this.#error(answer.code ?? 'MILLRACE_CONFIG_INVALID', `\${${name}}: ${answer.problem}`)
      return ''
    }
    if (this.#sources.properties.has(bare)) return this.#reference(bare)
    const [key = '', legacy] = LEGACY_SWITCH
    if (prefix === undefined && own(systemProperties, key) === legacy) return own(environment, bare)
    return undefined
  }

  /** What a lookup or a config filter says; undefined when the name is of neither. */
  #ask(name: string): LookupAnswer | undefined {
    const { lookups } = this.#sources
    const [prefix, bare] = splitPrefix(name)
    if (prefix !== undefined && Lookups.isPrefix(prefix)) return lookups.look(prefix, bare)
    const [, filter, , key] = FILTER_REFERENCE.exec(name) ?? []
    return filter === undefined || key === undefined ? undefined : lookups.filter(filter, key)
  }

  #reference(key: string): string | undefined {
    if (this.#path.includes(key)) {
      const circle = [...this.#path.slice(this.#path.indexOf(key)), key].join(' → ')
      this.#error('MILLRACE_CONFIG_INVALID', `refers to itself: ${circle}`)
      return ''
    }
    if (this.#path.length > MAX_DEPTH) {
      this.#error('MILLRACE_CONFIG_INVALID', `follows more than ${MAX_DEPTH} references`)
      return ''
    }
    const { text, problems } = this.#resolveKey(key, this.#path)
    for (const problem of problems) {
      const isTold = /^through |^refers to itself/.test(problem.message)
      this.#add({
        ...problem,
        message: isTold ? problem.message : `through ${key}: ${problem.message}`,
      })
    }
    return text
  }

  #reportUnknown(name: string): void {
    const answer = this.#ask(name)
    if (answer && 'absent' in answer) {
      this.#error('MILLRACE_CONFIG_INVALID', answer.absent)
      return
    }
    const [, filter] = FILTER_REFERENCE.exec(name) ?? []
    if (filter !== undefined) {
      this.#error(
        'MILLRACE_CONFIG_UNKNOWN_NAME',
        `\${${name}} needs a config filter ${filter}; there is none`,
      )
    } else {
      const hint = suggest(name, this.#sources.properties.keys())
      this.#warning(`\${${name}} names no key of the file and stays as written${hint}`)
    }
  }

  #error(code: FindingCode, message: string): void {
    this.#add({ severity: 'error', code, message })
  }

  #warning(message: string): void {
    this.#add({ severity: 'warning', code: 'MILLRACE_CONFIG_UNKNOWN_NAME', message })
  }

  /** Each sentence once: a key that is referred to often reports often. */
  #add(problem: SubstitutionProblem): void {
    this.#problems.set(problem.message, problem)
  }
}

/** The index of the brace that closes the reference whose body starts at `from`, or -1. */
function closingBrace(text: string, from: number): number {
  let open = 1
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '}') {
      open -= 1
      if (open === 0) return at
    } else if (text[at] === '$' && text[at + 1] === '{') {
      open += 1
      at += 1
    }
  }
  return -1
}

/** Cuts a reference at its own `:-`, not at one of a reference inside it. */
function splitDefault(body: string): { rawName: string; rawDefault: string | undefined } {
  let at = 0
  while (at < body.length) {
    if (body.startsWith(':-', at)) {
      return { rawName: body.slice(0, at), rawDefault: body.slice(at + 2) }
    }
    if (body.startsWith('${', at)) {
      const end = closingBrace(body, at + 2)
      if (end === -1) break
      at = end
    }
    at += 1
  }
  return { rawName: body, rawDefault: undefined }
}

/** `env:X` is `['env', 'X']`; the prefix counts without case, as in Flume. */
function splitPrefix(name: string): [prefix: string | undefined, bare: string] {
  const colon = name.indexOf(':')
  return colon === -1
    ? [undefined, name]
    : [name.slice(0, colon).toLowerCase(), name.slice(colon + 1)]
}

function own(record: Readonly<Record<string, string | undefined>>, key: string) {
  return Object.hasOwn(record, key) ? record[key] : undefined
}
