import { LogError } from '@millrace/runtime'
import type { Disk } from '../disk/disk.js'
import type { Steps } from '../disk/steps.js'
import type { Checkpoint } from '../format/checkpoint.js'
import type { DirectoryIdentity } from '../format/directory-identity.js'
import type { CheckedLogOptions } from '../options.js'
import { readIdentity, writeIdentity } from './directories.js'
import type { Finding } from './finding.js'
import type { FoundFile } from './segment-files.js'

export interface Identity {
  readonly logId: string
  /** In the order of the data directories. */
  readonly directoryIds: readonly string[]
  readonly isNew: boolean
}

const ID_BYTES = 16

/**
 * Finds out which log the directories belong to, and gives those an identity that have none.
 * @throws LogError `MILLRACE_LOG_DIRECTORY` when they belong to different logs, or when one that the log uses
 *   is not among them: going on would give events up that are only somewhere else.
 */
export function* identify(
  disk: Disk,
  options: CheckedLogOptions,
  known: { readonly checkpoint: Checkpoint | undefined; readonly files: readonly FoundFile[] },
  findings: Finding[],
): Steps<Identity> {
  const { dataDirectories, randomBytes } = options
  const match = yield* matchDirectories(disk, dataDirectories, known)
  const logId = match.logId ?? randomBytes(ID_BYTES).toString('hex')
  if (match.stranger !== undefined) throw otherLog(match.stranger)
  const directoryIds = match.directories.map(
    ({ id }) => id ?? randomBytes(ID_BYTES).toString('hex'),
  )
  if (match.missingIds.length > 0) throw missingDirectories(options, match.missingIds.length)
  for (const [index, directory] of dataDirectories.entries()) {
    if (match.directories[index]?.isIdentified) continue
    yield* writeIdentity(disk, directory, { logId, directoryId: directoryIds[index] as string })
    if (!holdsSegments(known.files, index, logId)) continue
    findings.push({
      kind: 'checkpoint',
      path: directory,
      message: 'The file that says which log the directory belongs to was made anew',
    })
  }
  return { logId, directoryIds, isNew: match.logId === undefined }
}

/** Which data directory is which of a log's. */
export interface DirectoryMatch {
  /** Undefined when nothing says which log it is: there is none yet. */
  readonly logId: string | undefined
  /** In the order of the data directories. `id` is undefined for one that is new to the log. */
  readonly directories: readonly {
    readonly id: string | undefined
    readonly isIdentified: boolean
  }[]
  /** Ids of directories that the log uses and that are not among them. */
  readonly missingIds: readonly string[]
  /** A directory of another log. */
  readonly stranger: string | undefined
}

/** Finds out which data directory is which. Changes nothing. */
export function* matchDirectories(
  disk: Disk,
  dataDirectories: readonly string[],
  known: { readonly checkpoint: Checkpoint | undefined; readonly files: readonly FoundFile[] },
): Steps<DirectoryMatch> {
  const identities: (DirectoryIdentity | undefined)[] = []
  for (const directory of dataDirectories) identities.push(yield* readIdentity(disk, directory))
  const logId = logIdOf(known.checkpoint, identities, known.files)
  const missing = new Set(known.checkpoint?.directoryIds)
  for (const identity of identities) if (identity) missing.delete(identity.directoryId)
  const directories = identities.map((identity, index) => {
    if (identity) return { id: identity.directoryId, isIdentified: true }
    // A directory with segments of the log is one that lost its identity; an empty one is new.
    const [lost] = logId !== undefined && holdsSegments(known.files, index, logId) ? missing : []
    missing.delete(lost ?? '')
    return { id: lost, isIdentified: false }
  })
  const stranger = identities.findIndex((identity) => identity && identity.logId !== logId)
  return { logId, directories, missingIds: [...missing], stranger: dataDirectories[stranger] }
}

function logIdOf(
  checkpoint: Checkpoint | undefined,
  identities: readonly (DirectoryIdentity | undefined)[],
  files: readonly FoundFile[],
): string | undefined {
  const identity = identities.find((each) => each !== undefined)
  const segment = files.find(({ header }) => header)
  return checkpoint?.logId ?? identity?.logId ?? segment?.header?.logId
}

function holdsSegments(files: readonly FoundFile[], directory: number, logId: string): boolean {
  return files.some(({ file, header }) => file.directory === directory && header?.logId === logId)
}

function otherLog(directory: string): LogError {
  return new LogError(
    'MILLRACE_LOG_DIRECTORY',
    `${directory} belongs to another log than the other directories; nothing was changed`,
  )
}

function missingDirectories(options: CheckedLogOptions, count: number): LogError {
  return new LogError(
    'MILLRACE_LOG_DIRECTORY',
    `${count} data ${count === 1 ? 'directory' : 'directories'} of the log in ${options.checkpointDirectory} ` +
      `${count === 1 ? 'is' : 'are'} not among ${options.dataDirectories.join(', ')}; is another disk mounted there? ` +
      'Nothing was changed. Mount it, or accept its loss with `millrace channel repair --apply`',
  )
}
