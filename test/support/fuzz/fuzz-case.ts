/** What a hostile peer does on one connection; kept as a file when it found something. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { repository } from '../repository.js'

/** A change of one TLS record on its way. */
export interface RecordFault {
  /** Which record of the connection. */
  readonly record: number
  readonly kind: 'flip' | 'type' | 'version' | 'length' | 'drop' | 'double' | 'cut' | 'alert'
  /** Where, or what is written there. */
  readonly value: number
}

export interface FuzzCase {
  /** What it was made from, or why it is kept. */
  readonly about: string
  /** What the other side speaks. */
  readonly compression: 'none' | 'deflate'
  readonly tls: boolean
  /** Whether the peer speaks TLS itself; which layer is outermost with deflate. Without, its octets go out as they are. */
  readonly speaks: 'nothing' | 'tls' | 'tls-in-zlib'
  readonly records: readonly RecordFault[]
  /** Written one after the other: by a client at once, by a server each as an answer to what comes. */
  readonly steps: readonly Buffer[]
  readonly ending: 'end' | 'reset' | 'silent'
}

const directory = (side: 'server' | 'client') => join(repository, 'test', 'golden', 'fuzz', side)

/** The text of a case's file. */
export function caseText(fuzz: FuzzCase): string {
  const steps = fuzz.steps.map((step) => step.toString('base64'))
  return `${JSON.stringify({ ...fuzz, steps }, null, 2)}\n`
}

/** The cases that were found and are kept, by the name of their file; `side` is what they attack. */
export function keptCases(side: 'server' | 'client'): Map<string, FuzzCase> {
  const cases = new Map<string, FuzzCase>()
  for (const file of readdirSync(directory(side)).toSorted()) {
    const read = JSON.parse(readFileSync(join(directory(side), file), 'utf8')) as FuzzCase
    const steps = read.steps.map((step) => Buffer.from(String(step), 'base64'))
    cases.set(basename(file, '.json'), { ...read, steps })
  }
  return cases
}
