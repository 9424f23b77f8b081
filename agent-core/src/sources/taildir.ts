import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { defineSource, option, type OptionsOf, type Problem } from '@millrace/component'
import { messageOf } from '@millrace/runtime'
import { FileGroup } from './taildir/file-group.js'
import { TaildirSource } from './taildir/taildir-source.js'

const DEFAULT_POSITION_FILE = '~/.flume/taildir_position.json'
const MAX_LINE_BYTES = 128 * 1_024 * 1_024

const options = {
  filegroups: option.list('filegroups', {
    description: 'Names of the groups of files to follow.',
    required: true,
  }),
  paths: option.map('filegroups.<filegroupName>', {
    description:
      'The files of a group: a directory, and behind the last slash a regular expression that a name must match as a whole.',
    required: true,
    shownType: 'string',
  }),
  positionFile: option.string('positionFile', {
    description: 'File that keeps, in the format of Flume, how far each file has been read.',
    default: DEFAULT_POSITION_FILE,
  }),
  headers: option.map('headers.<filegroupName>.<headerKey>', {
    description: 'A header for all events of a group.',
  }),
  byteOffsetHeader: option.bool('byteOffsetHeader', {
    description: 'Adds the header byteoffset with the offset of the line in its file, in bytes.',
    default: false,
  }),
  skipToEnd: option.bool('skipToEnd', {
    description: 'Begins at the end of files that are there at the start and have no position.',
    default: false,
  }),
  idleTimeoutMs: option.duration('idleTimeout', {
    description: 'After this time without a change a file is closed, and an unfinished line sent.',
    unit: 'ms',
    default: 120_000,
  }),
  writePositionsMs: option.duration('writePosInterval', {
    description: 'How often the positions are stored, when they have changed.',
    unit: 'ms',
    default: 3_000,
  }),
  batchSize: option.int('batchSize', {
    description: 'Most lines that are put into the channel at once.',
    default: 100,
    min: 1,
  }),
  maxBatchCount: option.long('maxBatchCount', {
    description: 'Batches of one file before the next file is read.',
    default: '9223372036854775807',
    adjustBelow: 1,
  }),
  backoffSleepIncrementMs: option.duration('backoffSleepIncrement', {
    description: 'Growth of the wait for each look in a row that found nothing.',
    unit: 'ms',
    default: 1_000,
  }),
  maxBackoffSleepMs: option.duration('maxBackoffSleep', {
    description: 'Longest wait between two looks. Changes that the system tells of end it.',
    unit: 'ms',
    default: 5_000,
  }),
  cachePatternMatching: option.bool('cachePatternMatching', {
    description: 'Lists the names in a directory only when the directory has changed.',
    default: true,
  }),
  fileHeader: option.bool('fileHeader', {
    description: "Adds a header with the file's path.",
    default: false,
  }),
  fileHeaderKey: option.string('fileHeaderKey', {
    description: 'The name of that header.',
    default: 'file',
  }),
  maxLineBytes: option.int('maxLineBytes', {
    description:
      'Longest line; a longer one becomes several events. Not in Flume, which has no limit.',
    unit: 'bytes',
    default: MAX_LINE_BYTES,
    min: 1,
    max: MAX_LINE_BYTES,
  }),
} as const

type Options = OptionsOf<typeof options>

/** Flume's `TAILDIR` source: follows files that grow, line by line. */
export const taildirSource = defineSource({
  alias: 'TAILDIR',
  classNames: ['org.apache.flume.source.taildir.TaildirSource'],
  summary: 'Follows files that grow, line by line, through rotation and restarts.',
  options,
  batchSize: ({ batchSize }) => ({ key: 'batchSize', events: batchSize }),
  check,
  create: ({ options, logger, clock }) => {
    const positionFile = resolve(options.positionFile.replace(/^~(?=\/)/, homedir()))
    const groups = options.filegroups.map((name) => groupOf(name, options))
    return new TaildirSource({ ...options, positionFile, groups }, { logger, clock })
  },
})

function groupOf(name: string, { paths, headers, fileHeader, fileHeaderKey }: Options): FileGroup {
  const own = Object.entries(headers)
    .filter(([key]) => key.startsWith(`${name}.`))
    .map(([key, value]): [string, string] => [key.slice(name.length + 1), value])
  return new FileGroup({
    name,
    path: paths[name] ?? '',
    headers: Object.fromEntries(own),
    fileHeaderKey: fileHeader ? fileHeaderKey : undefined,
  })
}

function check(given: Options): readonly Problem[] {
  const { filegroups, paths, headers } = given
  const problems: Problem[] = []
  for (const name of filegroups) {
    const key = `filegroups.${name}`
    if (paths[name] === undefined) {
      problems.push({ key, code: 'MILLRACE_CONFIG_MISSING', message: 'is needed' })
      continue
    }
    try {
      groupOf(name, given)
    } catch (error) {
      problems.push({ key, message: `names no files: ${messageOf(error)}` })
    }
  }
  for (const name of Object.keys(paths)) {
    if (filegroups.includes(name)) continue
    const message = 'is the path of a group that filegroups does not name'
    const code = 'MILLRACE_CONFIG_UNKNOWN_NAME'
    problems.push({ key: `filegroups.${name}`, code, severity: 'warning', message })
  }
  for (const key of Object.keys(headers)) {
    if (filegroups.some((name) => key.startsWith(`${name}.`) && key.length > name.length + 1))
      continue
    const message = 'is no header of a group: headers.<filegroup>.<header> is expected'
    problems.push({ key: `headers.${key}`, code: 'MILLRACE_CONFIG_UNKNOWN_NAME', message })
  }
  return problems
}
