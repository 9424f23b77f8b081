/** Lookups that need nothing but the process: environment, system properties, dates, encodings. */
import {
  arch,
  availableParallelism,
  homedir,
  hostname,
  networkInterfaces,
  release,
  tmpdir,
  type,
} from 'node:os'
import { sep } from 'node:path'
import { javaDate } from './java-date.js'
import type { LookupAnswer, LookupContext } from './lookups.js'

type TextLookup = (name: string, context: LookupContext) => LookupAnswer

const found = (value: string | undefined, absent: string): LookupAnswer =>
  value === undefined ? { absent } : { value }

/** By prefix in lower case, as Commons Text compares them. */
export const TEXT_LOOKUPS: ReadonlyMap<string, TextLookup> = new Map<string, TextLookup>([
  [
    'env',
    (name, { environment }) =>
      found(
        own(environment, name),
        `the environment has no ${name}; set it or write \${env:${name}:-default}`,
      ),
  ],
  [
    'sys',
    (name, { systemProperties }) =>
      found(
        own(systemProperties, name) ?? runtimeProperty(name),
        `no -D${name}=… is given; give it or write \${sys:${name}:-default}`,
      ),
  ],
  [
    'java',
    (name) =>
      found(runtimeFact(name), 'java: has version, runtime, vm, os, hardware and locale only'),
  ],
  ['date', date],
  ['base64encoder', (name) => ({ value: Buffer.from(name).toString('base64') })],
  ['base64decoder', (name) => ({ value: Buffer.from(name, 'base64').toString() })],
  ['urlencoder', (name) => ({ value: new URLSearchParams([['', name]]).toString().slice(1) })],
  ['urldecoder', (name) => ({ value: new URLSearchParams(`=${name}`).get('') ?? '' })],
  [
    'localhost',
    (name) => found(localhost(name), 'localhost: has name, canonical-name and address only'),
  ],
])

function own(record: Readonly<Record<string, string | undefined>>, key: string) {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

/** A pattern of SimpleDateFormat; without one Java's own format. */
function date(pattern: string, { now }: LookupContext): LookupAnswer {
  const answer = javaDate(pattern === '' ? 'EEE MMM dd HH:mm:ss yyyy' : pattern, now)
  if ('text' in answer) return { value: answer.text }
  return {
    problem: `the date pattern has ${JSON.stringify(answer.unknown)}, which is not known here`,
    code: 'MILLRACE_CONFIG_INVALID',
  }
}

/** The system properties that a Java process always has and that mean something here. */
function runtimeProperty(name: string): string | undefined {
  switch (name) {
    case 'user.home':
      return homedir()
    case 'user.dir':
      return process.cwd()
    case 'java.io.tmpdir':
      return tmpdir()
    case 'os.name':
      return type()
    case 'file.separator':
      return sep
    default:
      return undefined
  }
}

function runtimeFact(name: string): string | undefined {
  switch (name) {
    case 'version':
    case 'runtime':
      return `Node ${process.version}`
    case 'vm':
      return `V8 ${process.versions.v8}`
    case 'os':
      return `${type()} ${release()}, architecture: ${arch()}`
    case 'hardware':
      return `processors: ${availableParallelism()}, architecture: ${arch()}`
    case 'locale':
      return `default locale: ${Intl.DateTimeFormat().resolvedOptions().locale}`
    default:
      return undefined
  }
}

function localhost(name: string): string | undefined {
  if (name === 'name' || name === 'canonical-name') return hostname()
  if (name !== 'address') return undefined
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  const outward = addresses.find(({ internal, family }) => !internal && family === 'IPv4')
  return outward?.address ?? '127.0.0.1'
}
