import { resolve } from 'node:path'
import { OptionError } from '@millrace/runtime'
import type { DeadLetterListener } from '../dead-letter/dead-letter.js'
import type { DiagnosticListener } from '../diagnostics.js'
import { LOG4J_LEVEL } from '../log-record.js'
import { mappingOptions } from '../mapping/index.js'
import { hostList } from './hosts.js'
import {
  callback,
  checkOptions,
  group,
  integer,
  isPlainObject,
  milliseconds,
  type OptionCheck,
  type OptionValues,
  oneOf,
  show,
  text,
} from './option-check.js'
import { tlsOption } from './tls-option.js'

const KIB = 1_024
const MIB = 1_024 * KIB
/** The most that the 32-bit offsets of a batch can address is far above this. */
const MAX_SIZE_BYTES = 1_024 * MIB

const LEVELS = {
  trace: LOG4J_LEVEL.TRACE,
  debug: LOG4J_LEVEL.DEBUG,
  info: LOG4J_LEVEL.INFO,
  warn: LOG4J_LEVEL.WARN,
  error: LOG4J_LEVEL.ERROR,
  fatal: LOG4J_LEVEL.FATAL,
  off: Number.MAX_SAFE_INTEGER,
} as const

const LEVEL_NAMES = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const

/** Of what waits, in memory and in the spool. */
const queueOptions = {
  policy: oneOf(['drop-oldest', 'drop-newest', 'drop-below-level', 'spool'], {
    default: 'drop-oldest',
  }),
  maxEvents: integer({ default: 10_000, min: 1, max: 100_000_000 }),
  maxBytes: integer({ default: 32 * MIB, min: KIB, max: 64 * MAX_SIZE_BYTES }),
  maxAgeMs: milliseconds({ default: 0 }),
  level: level('warn', LEVEL_NAMES),
  directory: text({ default: undefined }),
  maxDiskBytes: integer({ default: 512 * MIB, min: MIB, max: 1_024 * MAX_SIZE_BYTES }),
  minFreeBytes: integer({ default: 64 * MIB, min: 0, max: 1_024 * MAX_SIZE_BYTES }),
  durability: oneOf(['write', 'sync'], { default: 'write' }),
  adoptIntervalMs: milliseconds({ default: 10_000, min: 100 }),
}

/** Every option of delivery with its default and check; the one source of both. */
export const deliveryOptions = {
  hosts: hostList(),
  strategy: oneOf(['round_robin', 'random', 'weighted', 'least_pending', 'failover'], {
    default: 'round_robin',
  }),
  tls: tlsOption(),
  compression: oneOf(['none', 'deflate'], { default: 'none' }),
  tlsDeflateOrder: oneOf(['v1.10', 'v1.9'], { default: 'v1.10' }),
  lanes: integer({ default: 1, min: 1, max: 64 }),
  maxInFlight: integer({ default: 1, min: 1, max: 8 }),
  queue: queue(),
  batch: group({
    maxEvents: integer({ default: 100, min: 1, max: 1_000_000 }),
    maxBytes: integer({ default: MIB, min: 1, max: MAX_SIZE_BYTES }),
    lingerMs: milliseconds({ default: 200 }),
  }),
  levels: levelNames,
  urgentLevel: level('error', [...LEVEL_NAMES, 'off']),
  connectTimeoutMs: milliseconds({ default: 5_000, min: 1 }),
  requestTimeoutMs: milliseconds({ default: 20_000, min: 1 }),
  backoff: backoff(),
  maxConnectionAgeMs: milliseconds({ default: 0 }),
  idleCheckMs: milliseconds({ default: 60_000 }),
  flushTimeoutMs: milliseconds({ default: 5_000 }),
  closeTimeoutMs: milliseconds({ default: 5_000 }),
  exitTimeoutMs: milliseconds({ default: 5_000 }),
  maxEventBytes: integer({ default: MIB, min: 1, max: MAX_SIZE_BYTES }),
  headerCaps: group({
    maxValueBytes: integer({ default: 8 * KIB, min: 16, max: MIB }),
    maxEventBytes: integer({ default: 32 * KIB, min: 16, max: 16 * MIB }),
  }),
  deadLetter: deadLetter(),
  diagnostics: oneOf(['stderr', 'debug', 'off'], { default: 'stderr' }),
  onDiagnostic: callback<DiagnosticListener>(),
}

/** All options of an appender. */
export const appenderOptions = { ...deliveryOptions, ...mappingOptions }

/** The options of delivery after the check. */
export type DeliverySettings = OptionValues<typeof deliveryOptions>
export type AppenderSettings = OptionValues<typeof appenderOptions>

/**
 * Checks the options of an appender.
 * @param adapterOptions names that the logger's adapter reads itself; they are known and left alone.
 * @throws OptionError for the first option that is unknown or has a bad value.
 */
export function checkAppenderOptions(
  input: unknown,
  adapterOptions: readonly string[] = [],
): AppenderSettings {
  const others = Object.fromEntries(adapterOptions.map((name) => [name, leave]))
  return checkOptions({ ...others, ...appenderOptions }, input)
}

/** Names of levels as the logger has them; undefined: all. */
function levelNames(value: unknown, name: string): readonly string[] | undefined {
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.length > 0) {
    const isText = (one: unknown): one is string => typeof one === 'string' && one !== ''
    if (value.every(isText)) return [...value]
  }
  throw new OptionError(`${name} must be a list of level names, not ${show(value)}`)
}

const leave: OptionCheck<unknown> = (value) => value

function level<W extends keyof typeof LEVELS>(
  byDefault: W,
  names: readonly W[],
): OptionCheck<number> {
  const check = oneOf(names, { default: byDefault })
  return (value, name) => LEVELS[check(value, name)]
}

/** A spool needs a directory; its path is made absolute at once, for the process may go elsewhere. */
function queue(): OptionCheck<OptionValues<typeof queueOptions>> {
  const check = group(queueOptions)
  return (value, name) => {
    const values = check(value, name)
    const { policy, directory } = values
    if (policy === 'spool' && directory === undefined) {
      throw new OptionError(`${name}.directory is missing: the spool needs one`)
    }
    return directory === undefined ? values : { ...values, directory: resolve(directory) }
  }
}

function backoff(): OptionCheck<{ readonly minMs: number; readonly maxMs: number }> {
  const check = group({
    minMs: milliseconds({ default: 1_000, min: 1 }),
    maxMs: milliseconds({ default: 30_000, min: 1 }),
  })
  return (value, name) => {
    const { minMs, maxMs } = check(value, name)
    if (minMs > maxMs && isPlainObject(value) && value['maxMs'] !== undefined) {
      throw new OptionError(`${name}.minMs (${minMs}) must not exceed ${name}.maxMs (${maxMs})`)
    }
    return { minMs, maxMs: Math.max(minMs, maxMs) }
  }
}

type DeadLetterSetting =
  | { readonly directory: string; readonly maxBytes: number }
  | DeadLetterListener
  | undefined

function deadLetter(): OptionCheck<DeadLetterSetting> {
  const listener = callback<DeadLetterListener>()
  const options = {
    directory: text({ default: undefined }),
    maxBytes: integer({ default: 64 * MIB, min: 1 }),
  }
  return (value, name) => {
    if (value === undefined || typeof value === 'function') return listener(value, name)
    const { directory, maxBytes } = checkOptions(options, value, name)
    if (directory === undefined) throw new OptionError(`${name}.directory is missing`)
    return { directory, maxBytes }
  }
}
