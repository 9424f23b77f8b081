/** Which files of the data directories hold which segments. */
import type { Disk } from '../disk/disk.js'
import {
  closeFile,
  listDirectory,
  openFile,
  readFully,
  sizeOf,
  entryAt,
  type Steps,
} from '../disk/steps.js'
import {
  decodeSegmentHeader,
  HEADER_BLOCK_BYTES,
  type SegmentHeader,
} from '../format/segment-header.js'
import { IDENTITY_FILE, inDirectory, QUARANTINE_DIRECTORY, segmentFileNumber } from '../layout.js'
import type { SegmentFile } from '../segments/segment.js'
import type { Finding } from './finding.js'

/** A file with the name of a segment. */
export interface FoundFile {
  readonly file: SegmentFile
  /** Length in bytes. */
  readonly size: number
  readonly header: SegmentHeader | undefined
  /** Whether the header block holds nothing but zeroes. */
  readonly isBlank: boolean
  /** False for a directory, a socket or the like, which only keeps the name from being used. */
  readonly isFile: boolean
}

export interface FoundFiles {
  /** Of each segment of the log one file, in the order of their ids. */
  readonly segments: readonly (FoundFile & { readonly header: SegmentHeader })[]
  /** Without a valid header. */
  readonly headless: readonly FoundFile[]
  readonly highestNumber: number
}

/**
 * Looks at all files of the data directories. What is not the log's is reported and left alone.
 * `logId` undefined: any log's.
 */
export function* findSegmentFiles(
  disk: Disk,
  dataDirectories: readonly string[],
  findings: Finding[],
): Steps<FoundFile[]> {
  const found: FoundFile[] = []
  for (const [directory, path] of dataDirectories.entries()) {
    for (const name of (yield* listDirectory(disk, path)).toSorted()) {
      const number = segmentFileNumber(name)
      if (number !== undefined) {
        const place = { path: inDirectory(path, name), directory, number }
        const entry = yield* entryAt(disk, place.path)
        if (entry?.isFile !== false) found.push(yield* lookAt(disk, place))
        else {
          found.push(noFile(place))
          findings.push({ kind: 'foreign', path: place.path, message: 'No file; left alone' })
        }
      } else if (![IDENTITY_FILE, QUARANTINE_DIRECTORY].includes(name) && !isOurs(name)) {
        findings.push({
          kind: 'foreign',
          path: inDirectory(path, name),
          message: 'Not part of the log; left alone',
        })
      }
    }
  }
  return found
}

/** Files of the checkpoint directory, which may be a data directory too, and unfinished ones. */
function isOurs(name: string): boolean {
  return name.startsWith('cursors.wal') || name.startsWith('owner.sock') || name.endsWith('.tmp')
}

function noFile(place: Place): FoundFile {
  const file = { ...place, bytes: 0, isSuspect: false }
  return { file, size: 0, header: undefined, isBlank: false, isFile: false }
}

interface Place {
  readonly path: string
  readonly directory: number
  readonly number: number
}

function* lookAt(disk: Disk, place: Place): Steps<FoundFile> {
  const handle = yield* openFile(disk, place.path, 'read')
  try {
    const block = Buffer.alloc(HEADER_BLOCK_BYTES)
    const length = yield* readFully(handle, block, 0)
    const size = yield* sizeOf(handle)
    const header = decodeSegmentHeader(block.subarray(0, length), place.path)
    const file: SegmentFile = { ...place, bytes: header?.bytes ?? size, isSuspect: false }
    return { file, size, header, isBlank: block.every((byte) => byte === 0), isFile: true }
  } finally {
    yield* closeFile(handle)
  }
}

/** Sorts the files of the log `logId` by segment; of two with the same segment one is the log's. */
export function sortSegmentFiles(
  found: readonly FoundFile[],
  logId: string,
  findings: Finding[],
): FoundFiles {
  const byId = new Map<number, FoundFile & { readonly header: SegmentHeader }>()
  const headless: FoundFile[] = []
  let highestNumber = 0
  for (const each of found) {
    const { file, header, isFile } = each
    highestNumber = Math.max(highestNumber, file.number)
    if (!isFile) continue
    if (!header) headless.push(each)
    else if (header.logId !== logId) {
      findings.push({ kind: 'foreign', path: file.path, message: 'Of another log; left alone' })
    } else {
      highestNumber = Math.max(highestNumber, header.fileNumber)
      const candidate = { ...each, header }
      const other = byId.get(header.id)
      const isBetter = !other || isNamedAsWritten(candidate)
      if (isBetter) byId.set(header.id, candidate)
      const rest = isBetter ? other : candidate
      if (rest) {
        findings.push({
          kind: 'doubled',
          path: rest.file.path,
          message: `A second file with segment ${header.id}; left alone`,
        })
      }
    }
  }
  const segments = [...byId.values()].sort((a, b) => a.header.id - b.header.id)
  return { segments, headless, highestNumber }
}

/** Whether the file still has the name under which the segment was written. */
export function isNamedAsWritten({ file, header }: FoundFile): boolean {
  return header?.fileNumber === file.number
}
