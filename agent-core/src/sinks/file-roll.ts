import { defineSink, option } from '@millrace/component'
import { FileRollSink } from './file-roll-sink.js'
import { diskFiles } from './output-file.js'
import { pathNamingType } from './path-naming.js'

/** Flume's `file_roll` sink: writes events to files of a local directory and begins new ones by time. */
export const fileRollSink = defineSink({
  alias: 'file_roll',
  classNames: ['org.apache.flume.sink.RollingFileSink'],
  summary: 'Writes events to local files and begins a new file at each interval.',
  options: {
    directory: option.string('sink.directory', {
      description: 'Directory of the files. It must exist.',
      required: true,
    }),
    pathManager: option.string('sink.pathManager', {
      description: 'How files are named: DEFAULT or ROLLTIME.',
      default: 'DEFAULT',
    }),
    extension: option.string('sink.pathManager.extension', {
      description: 'Extension of the files, without its dot.',
      default: '',
    }),
    prefix: option.string('sink.pathManager.prefix', {
      description: 'Beginning of the names of the files.',
      default: '',
    }),
    pathManagerSettings: option.map('sink.pathManager.*', {
      description: 'Settings of a custom path manager.',
      unsupported: 'belongs to a custom path manager, and there are only DEFAULT and ROLLTIME',
    }),
    rollIntervalMs: option.duration('sink.rollInterval', {
      description: 'Time after which a new file begins; 0 keeps one file.',
      unit: 's',
      default: 30,
    }),
    serializer: option.component('sink.serializer', {
      description: 'What the files look like.',
      kind: 'serializer',
      prefix: 'sink.serializer.',
      default: 'TEXT',
    }),
    serializerSettings: option.map('sink.serializer.*', {
      description: 'Settings of the serializer.',
    }),
    fsync: option.enum('sink.fsync', ['auto', 'always', 'never'], {
      description:
        'When a write waits until the disk has the events: `always`, `never`, or behind a durable channel (`auto`).',
      default: 'auto',
    }),
    batchSize: option.int('sink.batchSize', {
      description: 'Most events of one transaction.',
      default: 100,
      min: 1,
    }),
  },
  batchSize: (options) => ({ key: 'sink.batchSize', events: options.batchSize }),
  check: (options) =>
    pathNamingType(options.pathManager) === undefined
      ? [
          {
            key: 'sink.pathManager',
            code: 'MILLRACE_CONFIG_UNSUPPORTED',
            message: `${options.pathManager} is neither DEFAULT nor ROLLTIME`,
          },
        ]
      : [],
  create: ({ options, createSerializer, logger, clock }) =>
    new FileRollSink(
      { ...options, pathManager: pathNamingType(options.pathManager) ?? 'DEFAULT' },
      { createSerializer, logger, clock, files: diskFiles },
    ),
})
