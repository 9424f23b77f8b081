import { defineSink, option } from '@millrace/component'

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
    }),
    rollIntervalMs: option.duration('sink.rollInterval', {
      description: 'Time after which a new file begins; 0 keeps one file.',
      unit: 's',
      default: 30,
    }),
    serializer: {
      ...option.string('sink.serializer', {
        description: 'What the files look like.',
        default: 'TEXT',
      }),
      component: { kind: 'serializer' as const, prefix: 'sink.serializer.' },
    },
    serializerSettings: option.map('sink.serializer.*', {
      description: 'Settings of the serializer.',
    }),
    batchSize: option.int('sink.batchSize', {
      description: 'Most events of one transaction.',
      default: 100,
      min: 1,
    }),
  },
  batchSize: (options) => ({ key: 'sink.batchSize', events: options.batchSize }),
  create: (context) => ({
    batchSize: context.options.batchSize,
    write: async () => {},
  }),
})
