// Breakages of how records are told from other bytes, and of consumers.
const wal = (path) => `packages/wal/src/${path}`
const record = wal('format/record.ts')
const scanner = wal('reading/record-scanner.ts')
const consumer = wal('reading/consumer.ts')
const done = wal('reading/done-events.ts')

export const READING = [
  {
    name: 'no offset check',
    file: record,
    replace: [[' || bytes.readUInt32LE(at + 8) !== offset', '']],
  },
  {
    name: 'no mark check',
    file: record,
    replace: [['bytes.readUInt32LE(at) !== seal.mark || ', '']],
  },
  {
    name: 'header checksum ignored',
    file: record,
    replace: [
      ['  if (bytes.readUInt32LE(at + 4) !== crc32(checked, seal.seed)) return undefined\n', ''],
    ],
  },
  {
    name: 'header checksum without the salt',
    file: record,
    replace: [
      [
        'bytes.readUInt32LE(at + 4) !== crc32(checked, seal.seed)',
        'bytes.readUInt32LE(at + 4) !== crc32(checked)',
      ],
      [
        'target.writeUInt32LE(crc32(checked, seal.seed), at + 4)',
        'target.writeUInt32LE(crc32(checked), at + 4)',
      ],
    ],
  },
  {
    name: 'body checksum ignored',
    file: scanner,
    replace: [[' || bodyChecksum(body, this.#seal) !== header.bodyCrc', '']],
  },
  {
    name: 'order of record ids ignored',
    file: scanner,
    replace: [
      [
        'if (!header || header.id <= this.#lastId) return undefined',
        'if (!header) return undefined',
      ],
    ],
  },
  {
    name: 'resync without checksum',
    file: scanner,
    replace: [
      [
        'if (candidate % RECORD_ALIGNMENT === 0 && (yield* this.#headerAt(candidate, end))) {',
        'if (candidate % RECORD_ALIGNMENT === 0) {',
      ],
    ],
  },
  {
    name: 'no resync: a damaged header ends the segment',
    file: scanner,
    replace: [
      [
        'const to = yield* this.#findRecord(from + RECORD_ALIGNMENT, end)',
        'const to = yield* this.#findRecord(end, end)',
      ],
    ],
  },
  {
    name: 'unreadable page fails for ever',
    file: scanner,
    replace: [["if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error", 'throw error']],
  },
  {
    name: 'sequence gap before a record not counted',
    file: consumer,
    replace: [['    this.#noteGap(header.firstSequence)\n', '']],
  },
  {
    name: 'sequence gap at the end of a segment not counted',
    file: consumer,
    replace: [['    this.#noteGap(nextSequence)\n    const next =', '    const next =']],
  },
  {
    name: 'acknowledged out of order, given again after reopening',
    file: consumer,
    replace: [
      [
        '    return batches.flatMap(({ firstSequence, batch, appendedAtMs }) =>',
        '    if (batches.length > 0) return batches\n    return batches.flatMap(({ firstSequence, batch, appendedAtMs }) =>',
      ],
    ],
  },
  {
    name: 'bound on repeats ignored',
    file: consumer,
    replace: [
      [
        'const isOver = this.#unstored > this.#log.maxRepeatedEvents',
        'const isOver = this.#unstored < 0',
      ],
    ],
  },
  {
    name: 'damage read past without a word',
    file: consumer,
    replace: [['        await this.#log.damaged(place.segment, scanned)\n', '']],
  },
  {
    name: 'acknowledging ranges loses a part of them',
    file: done,
    replace: [['end = Math.max(end, rangeTo)', 'end = rangeTo']],
  },
  {
    name: 'acknowledging above counts as acknowledging all below',
    file: done,
    replace: [['      if (from > this.#sequence) break\n', '']],
  },
  {
    name: 'stored ranges of a cursor left out',
    file: wal('format/cursors.ts'),
    replace: [
      [
        'const ranges = doneAbove.slice(0, maxRanges)',
        'const ranges = doneAbove.slice(0, Math.min(0, maxRanges))',
      ],
    ],
  },
]
