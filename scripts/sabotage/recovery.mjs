// Breakages of what opening a log makes of what a crash, a disk or a person left.
const wal = (path) => `packages/wal/src/${path}`
const tail = wal('recovery/tail-scan.ts')
const recovery = wal('recovery/recovery.ts')
const checkpoint = wal('recovery/checkpoint-file.ts')
const directories = wal('recovery/directories.ts')
const identify = wal('recovery/identify.ts')
const chain = wal('recovery/chain.ts')
const files = wal('recovery/segment-files.ts')

export const RECOVERY = [
  {
    name: 'tail not cut',
    file: recovery,
    replace: [['    if (!cut) return true\n', '    if (!cut || cut.to > 0) return true\n']],
  },
  {
    name: 'valid records behind the cut left',
    file: recovery,
    replace: [['new Set([end, ...cut.headers])', 'new Set([end])']],
  },
  {
    name: 'tail cut without a copy',
    file: recovery,
    replace: [
      [
        'const copy = file ? yield* this.#copyTail(last, { from, to }) : undefined',
        "const copy = file && to > from ? '' : undefined",
      ],
    ],
  },
  {
    name: 'tail of a killed process read before it is synced',
    file: recovery,
    replace: [['      if (!isReadOnly) yield* makeSafe(file, last.header, tail)\n', '']],
  },
  {
    name: 'frontier of the checkpoint ignored',
    file: tail,
    replace: [['frontier?.offset ?? HEADER_BLOCK_BYTES', 'HEADER_BLOCK_BYTES']],
  },
  {
    name: 'frontier in records ignored',
    file: tail,
    replace: [['    if (header.frontier > this.#frontier) this.#raise(header.frontier)\n', '']],
  },
  {
    name: 'record ids begin again after a crash',
    file: tail,
    replace: [
      [
        'nextRecordId: Math.max(this.#scanner.lastId + 1, known.nextRecordId)',
        'nextRecordId: Math.max(1, known.nextRecordId)',
      ],
    ],
  },
  {
    name: 'cursors of the log ignored for older ones of the checkpoint',
    file: recovery,
    replace: [
      [
        'const isCheckpointYounger = checkpoint && checkpoint.cursorsAsOf > (inLog?.recordId ?? -1)',
        'const isCheckpointYounger = checkpoint',
      ],
    ],
  },
  {
    name: 'cursors of the checkpoint ignored for older ones of the log',
    file: recovery,
    replace: [
      [
        'const isCheckpointYounger = checkpoint && checkpoint.cursorsAsOf > (inLog?.recordId ?? -1)',
        'const isCheckpointYounger = checkpoint && !inLog',
      ],
    ],
  },
  {
    name: 'the older of two slots counts',
    file: checkpoint,
    replace: [
      ['checkpoint.generation > found.generation', 'checkpoint.generation < found.generation'],
    ],
  },
  {
    name: 'slot checksum ignored',
    file: wal('format/checkpoint.ts'),
    replace: [
      [
        '  if (slot.readUInt32LE(8) !== crc32(slot.subarray(CHECKED_FROM, length))) return undefined\n',
        '',
      ],
    ],
  },
  {
    name: 'segment header checksum ignored',
    file: wal('format/segment-header.ts'),
    replace: [
      ['  if (copy.readUInt32LE(8) !== crc32(copy.subarray(CHECKED_FROM))) return undefined\n', ''],
    ],
  },
  {
    name: 'no second copy of the segment header',
    file: wal('format/segment-header.ts'),
    replace: [['  block.copy(block, COPIES[1], 0, HEADER_BYTES)\n', '']],
  },
  {
    name: 'any version is read',
    file: wal('format/segment-header.ts'),
    replace: [['  if (version === FORMAT_VERSION) return\n', '  if (version > 0) return\n']],
  },
  {
    name: 'no directory sync for new directories',
    file: directories,
    replace: [['    yield* syncDirectory(disk, dirname(each))\n', '']],
  },
  {
    name: 'identity of a directory renamed before it is synced',
    file: directories,
    replace: [
      [
        '    yield* syncFile(file)\n  } finally {\n    yield* closeFile(file)\n  }\n  yield* renameFile',
        '  } finally {\n    yield* closeFile(file)\n  }\n  yield* renameFile',
      ],
    ],
  },
  {
    name: "directory of Apache Flume's channel taken over",
    file: wal('recovery/open-log.ts'),
    replace: [['    yield* refuseFlume(disk, directories)\n', '']],
  },
  {
    name: 'another log in a directory goes unnoticed',
    file: identify,
    replace: [['  if (match.stranger !== undefined) throw otherLog(match.stranger)\n', '']],
  },
  {
    name: 'a missing directory goes unnoticed',
    file: identify,
    replace: [
      [
        '  if (match.missingIds.length > 0) throw missingDirectories(options, match.missingIds.length)\n',
        '',
      ],
    ],
  },
  {
    name: 'a segment begun in vain counts as part of the log',
    file: chain,
    replace: [
      [
        'if (next && each.header.id > next.header.previousId) {',
        'if (next && each.header.id >= next.header.id) {',
      ],
    ],
  },
  {
    name: 'end of a segment taken from its file and not from the next header',
    file: chain,
    replace: [
      ['segment.end = isLinked ? next.header.previousEnd : each.size', 'segment.end = each.size'],
    ],
  },
  {
    name: 'file numbers begin again',
    file: recovery,
    replace: [
      [
        'nextFileNumber: Math.max(this.#files.highestNumber + 1, nextFileNumber)',
        'nextFileNumber: 1',
      ],
    ],
  },
  {
    name: 'of two files with one segment the wrong one is used',
    file: files,
    replace: [
      [
        'const isBetter = !other || isNamedAsWritten(candidate)',
        'const isBetter = !other || !isNamedAsWritten(candidate)',
      ],
    ],
  },
  {
    name: 'a live owner is not respected',
    file: wal('owner/owner-lock.ts'),
    replace: [['  if (owner !== undefined) throw inUse(directory, owner)\n', '']],
  },
  {
    name: 'a dead owner keeps the log for ever',
    file: wal('owner/owner-lock.ts'),
    replace: [
      [
        "const isDead = error.code === 'ECONNREFUSED' || error.code === 'ENOENT'",
        "const isDead = error.code === 'ENOENT'",
      ],
    ],
  },
]
