import { resolve } from 'node:path'
import { defineSource, option, type OptionsOf, type Problem } from '@millrace/component'
import { messageOf } from '@millrace/runtime'
import { lineCharset } from './line-charset.js'
import { namePattern } from './name-pattern.js'
import { SpoolDirectory } from './spooldir/spool-directory.js'
import { SpooldirSource } from './spooldir/spooldir-source.js'

const options = {
  spoolDir: option.string('spoolDir', {
    description: 'The directory of finished files that do not change any more.',
    required: true,
  }),
  fileSuffix: option.string('fileSuffix', {
    description: 'Is appended to the name of a file that was read.',
    default: '.COMPLETED',
  }),
  deletePolicy: option.enum('deletePolicy', ['never', 'immediate'], {
    description: 'Whether files are kept or removed when they were read.',
    default: 'never',
    refused: { values: ['delay'], reason: 'is refused by Flume too' },
  }),
  fileHeader: option.bool('fileHeader', {
    description: "Adds a header with the file's path.",
    default: false,
  }),
  fileHeaderKey: option.string('fileHeaderKey', {
    description: 'The name of that header.',
    default: 'file',
  }),
  basenameHeader: option.bool('basenameHeader', {
    description: "Adds a header with the file's name.",
    default: false,
  }),
  basenameHeaderKey: option.string('basenameHeaderKey', {
    description: 'The name of that header.',
    default: 'basename',
  }),
  includePattern: option.string('includePattern', {
    description: "Regular expression that a file's name must match as a whole.",
    default: '^.*$',
  }),
  ignorePattern: option.string('ignorePattern', {
    description: 'Regular expression for names, of directories too, that are left out.',
    default: '^$',
  }),
  trackerDir: option.string('trackerDir', {
    description: 'Where the position in the file at hand is kept; relative to spoolDir.',
    default: '.flumespool',
  }),
  trackingPolicy: option.enum('trackingPolicy', ['rename', 'tracker_dir'], {
    description: 'How read files are known: by their suffix, or by an empty file in trackerDir.',
    default: 'rename',
  }),
  consumeOrder: option.enum('consumeOrder', ['oldest', 'youngest', 'random'], {
    description: 'Which file is taken next, by the time of its last modification.',
    default: 'oldest',
  }),
  pollDelayMs: option.duration('pollDelay', {
    description: 'Pause between two looks into the directory.',
    unit: 'ms',
    default: 500,
  }),
  isRecursive: option.bool('recursiveDirectorySearch', {
    description: 'Whether files in directories below are read too.',
    default: false,
  }),
  maxBackoffMs: option.duration('maxBackoff', {
    description: 'Longest wait before a refused batch is put again; the first is 250 ms.',
    unit: 'ms',
    default: 4_000,
    min: 1,
  }),
  batchSize: option.int('batchSize', {
    description: 'Most events that are put into the channel at once.',
    default: 100,
    min: 1,
  }),
  inputCharset: option.string('inputCharset', {
    description: 'Character set of the files.',
    default: 'UTF-8',
  }),
  decodeErrorPolicy: option.enum('decodeErrorPolicy', ['FAIL', 'REPLACE', 'IGNORE'], {
    description:
      'What becomes of bytes that are no text of the set: the file is set aside, they become U+FFFD, or nothing.',
    default: 'FAIL',
  }),
  deserializer: option.component('deserializer', {
    description: 'How a file is read.',
    kind: 'deserializer',
    prefix: 'deserializer.',
    default: 'LINE',
  }),
  bufferMaxLines: option.int('bufferMaxLines', {
    description: 'Obsolete.',
    noEffect: 'nothing is buffered by lines; Flume does not read it either',
  }),
  bufferMaxLineLength: option.int('bufferMaxLineLength', {
    description: 'Obsolete: goes before deserializer.maxLineLength.',
    min: 1,
  }),
} as const

type Options = OptionsOf<typeof options>

/** Flume's `spooldir` source: reads finished files that are put into a directory. */
export const spooldirSource = defineSource({
  alias: 'spooldir',
  classNames: ['org.apache.flume.source.SpoolDirectorySource'],
  summary: 'Reads finished files that are put into a directory, one after the other.',
  options,
  batchSize: ({ batchSize }) => ({ key: 'batchSize', events: batchSize }),
  check,
  create: ({ options, logger, clock, random, createDeserializer }) => {
    const spoolDir = resolve(options.spoolDir)
    const trackerDir = resolve(spoolDir, options.trackerDir)
    const finish = options.deletePolicy === 'immediate' ? 'delete' : options.trackingPolicy
    const directory = new SpoolDirectory(
      {
        ...options,
        spoolDir,
        trackerDir,
        finish,
        includePattern: namePattern(options.includePattern),
        ignorePattern: namePattern(options.ignorePattern),
      },
      random,
    )
    const source = {
      ...options,
      spoolDir,
      trackerDir,
      maxLineLength: options.bufferMaxLineLength,
      isTrackerKept: finish === 'tracker_dir',
      pathHeader: options.fileHeader ? options.fileHeaderKey : undefined,
      nameHeader: options.basenameHeader ? options.basenameHeaderKey : undefined,
    }
    return new SpooldirSource(source, { directory, createDeserializer, logger, clock })
  },
})

function check({ includePattern, ignorePattern, inputCharset }: Options): readonly Problem[] {
  return [
    ...problemOf('includePattern', () => namePattern(includePattern)),
    ...problemOf('ignorePattern', () => namePattern(ignorePattern)),
    ...problemOf('inputCharset', () => lineCharset(inputCharset)),
  ]
}

function problemOf(key: string, read: () => unknown): readonly Problem[] {
  try {
    read()
    return []
  } catch (error) {
    return [{ key, message: messageOf(error) }]
  }
}
