import { defineChannel, option, type OptionsOf, type Problem } from '@millrace/component'
import { absolutePath } from './absolute-path.js'
import { FileChannel } from './file-channel.js'
import { LEAST_FREE_BYTES } from './file-channel-log.js'

/** Flume's largest file, in bytes. */
const MAX_FILE_BYTES = 1_623_195_647
const ALWAYS_TWO = 'the file with the positions always holds two generations'
const ONE_REPLAY = 'opening takes the same short time whatever the channel holds'
const NO_ENCRYPTION = 'encryption is not built yet'

const options = {
  checkpointDir: option.string('checkpointDir', {
    description: 'Directory of the positions. One channel only. `~` is the home directory.',
    default: '~/.flume/file-channel/checkpoint',
  }),
  dataDirs: option.list('dataDirs', {
    description: 'Directories of the events, between commas, used in turn. One channel only.',
    separator: 'comma',
    default: '~/.flume/file-channel/data',
  }),
  capacity: option.int('capacity', {
    description: 'Most events that the channel holds, those taken but not committed included.',
    default: 1_000_000,
    adjustBelow: 1,
  }),
  byteCapacity: option.long('byteCapacity', {
    description:
      'Most bytes of events that the channel holds. Default: what the disk has above `minimumRequiredSpace`.',
    unit: 'bytes',
    min: 1,
  }),
  transactionCapacity: option.int('transactionCapacity', {
    description: 'Most events of one put or take; not more than `capacity`.',
    default: 10_000,
    adjustBelow: 1,
  }),
  keepAliveMs: option.duration('keep-alive', {
    description: 'How long a put waits for room and a take for an event.',
    unit: 's',
    default: 3,
  }),
  minimumRequiredSpace: option.long('minimumRequiredSpace', {
    description: 'Free space that the disk keeps; below it puts are refused. At least 1048576.',
    unit: 'bytes',
    default: 524_288_000,
  }),
  fsyncPerTransaction: option.bool('fsyncPerTransaction', {
    description:
      'Whether an event is acknowledged only when the disk has it. `false`: a crash of the machine loses what was acknowledged last.',
    default: true,
  }),
  fsyncIntervalMs: option.duration('fsyncInterval', {
    description: 'Time between two syncs with `fsyncPerTransaction = false`.',
    unit: 's',
    default: 5,
    adjustBelow: 1,
  }),
  maxRepeatedEvents: option.int('maxRepeatedEvents', {
    description: 'Most delivered events that a crash makes the channel give once more.',
    default: 100_000,
  }),
  segmentSize: option.int('segmentSize', {
    description:
      'Length of one file; a longer batch gets a file of its own. Not more than `maxFileSize`.',
    unit: 'bytes',
    default: 64 * 1024 ** 2,
    min: 64 * 1024,
    max: 1024 ** 3,
  }),
  maxFileSize: option.long('maxFileSize', {
    description: 'Largest file.',
    unit: 'bytes',
    default: MAX_FILE_BYTES,
    min: 64 * 1024,
  }),
  retentionMs: option.duration('retention.time', {
    description: 'How long delivered events are kept on disk. Default: not at all.',
    unit: 's',
  }),
  retentionBytes: option.long('retention.bytes', {
    description: 'Most bytes of delivered events that are kept on disk. Default: none.',
    unit: 'bytes',
  }),
  checkpointIntervalMs: option.duration('checkpointInterval', {
    description: 'Time between two writes of the file with the positions.',
    unit: 'ms',
    default: 30_000,
    adjustBelow: 1,
  }),
  useDualCheckpoints: option.bool('useDualCheckpoints', {
    description: 'Keeps a second copy of the positions.',
    default: false,
    noEffect: ALWAYS_TWO,
  }),
  backupCheckpointDir: option.string('backupCheckpointDir', {
    description: 'Directory of the second copy.',
    noEffect: ALWAYS_TWO,
  }),
  compressBackupCheckpoint: option.bool('compressBackupCheckpoint', {
    description: 'Compresses the second copy.',
    default: false,
    noEffect: ALWAYS_TWO,
  }),
  checkpointOnClose: option.bool('checkpointOnClose', {
    description: 'Writes the positions when the channel closes.',
    default: true,
    noEffect: 'it always does',
  }),
  useLogReplayV1: option.bool('use-log-replay-v1', {
    description: 'Chooses an old way to open the channel.',
    default: false,
    noEffect: ONE_REPLAY,
  }),
  useFastReplay: option.bool('use-fast-replay', {
    description: 'Chooses another way to open the channel.',
    default: false,
    noEffect: ONE_REPLAY,
  }),
  encryptionActiveKey: option.string('encryption.activeKey', {
    description: 'Key that encrypts new events.',
    unsupported: NO_ENCRYPTION,
  }),
  encryptionCipherProvider: option.string('encryption.cipherProvider', {
    description: 'How events are encrypted.',
    unsupported: NO_ENCRYPTION,
  }),
  encryptionKeyProvider: option.string('encryption.keyProvider', {
    description: 'Where keys come from.',
    unsupported: NO_ENCRYPTION,
  }),
  keyStoreFile: option.string('encryption.keyProvider.keyStoreFile', {
    description: 'Key store.',
    unsupported: NO_ENCRYPTION,
  }),
  keyStorePasswordFile: option.string('encryption.keyProvider.keyStorePasswordFile', {
    description: 'File with the password of the key store.',
    unsupported: NO_ENCRYPTION,
  }),
  keys: option.list('encryption.keyProvider.keys', {
    description: 'Names of all keys.',
    unsupported: NO_ENCRYPTION,
  }),
  keyPasswordFiles: option.map('encryption.keyProvider.keys.*', {
    description: 'File with the password of one key: `<name>.passwordFile`.',
    unsupported: NO_ENCRYPTION,
  }),
} as const

export type FileChannelOptions = OptionsOf<typeof options>

/** Flume's `file` channel: what it has acknowledged survives a crash of the process and of the machine. */
export const fileChannel = defineChannel({
  alias: 'file',
  classNames: ['org.apache.flume.channel.file.FileChannel'],
  summary: 'A durable channel: what it acknowledged is on disk, and survives a crash.',
  options,
  check: (given) => [...checkLimits(given), ...checkDirectories(given)],
  directories: ({ checkpointDir, dataDirs }) => [
    { key: 'checkpointDir', path: absolutePath(checkpointDir) },
    ...dataDirs.map((path) => ({ key: 'dataDirs', path: absolutePath(path) })),
  ],
  transactionCapacity: ({ transactionCapacity }) => transactionCapacity,
  create: ({ name, options: given, clock, logger }) =>
    new FileChannel(name, given, { clock, logger }),
})

function checkLimits(given: FileChannelOptions): Problem[] {
  const { capacity, transactionCapacity, minimumRequiredSpace, maxFileSize } = given
  const problems: Problem[] = []
  const adjusted = (key: string, message: string) =>
    problems.push({ key, message, code: 'MILLRACE_CONFIG_ADJUSTED', severity: 'warning' })
  if (transactionCapacity > capacity) {
    const message = `${transactionCapacity} is more than the capacity of ${capacity}`
    problems.push({ key: 'transactionCapacity', message })
  }
  if (minimumRequiredSpace < LEAST_FREE_BYTES) {
    adjusted(
      'minimumRequiredSpace',
      `${minimumRequiredSpace} is below the least value; ${LEAST_FREE_BYTES} is used, as in Flume`,
    )
  }
  if (maxFileSize > MAX_FILE_BYTES) {
    const message = `${maxFileSize} is above the largest value; ${MAX_FILE_BYTES} is used, as in Flume`
    adjusted('maxFileSize', message)
  }
  return problems
}

function checkDirectories({ checkpointDir, dataDirs }: FileChannelOptions): Problem[] {
  const paths = dataDirs.map(absolutePath)
  if (paths.length === 0) return [{ key: 'dataDirs', message: 'names no directory' }]
  const twice = paths.find((path, i) => paths.indexOf(path) !== i)
  if (twice !== undefined) return [{ key: 'dataDirs', message: `names ${twice} twice` }]
  if (paths.includes(absolutePath(checkpointDir))) {
    return [{ key: 'checkpointDir', message: `${checkpointDir} is one of dataDirs too` }]
  }
  return []
}
