// Breakages of what the log writes, syncs and gives free.
const wal = (path) => `packages/wal/src/${path}`
const writer = wal('writing/segment-writer.ts')
const committer = wal('writing/group-committer.ts')
const maintenance = wal('writing/maintenance.ts')
const encoder = wal('writing/group-encoder.ts')
const checkpoint = wal('recovery/checkpoint-file.ts')
const pool = wal('segments/segment-pool.ts')

export const WRITING = [
  {
    name: 'answer before the sync',
    file: writer,
    replace: [
      ["      if (this.#state.options.durability === 'sync') yield* syncFile(handle)\n", ''],
    ],
  },
  {
    name: 'answer before the sync of a new segment',
    file: writer,
    replace: [['      if (isSyncing) yield* syncFile(ready.handle)\n', '']],
  },
  {
    name: 'failed sync ignored',
    file: writer,
    replace: [
      [
        "if (this.#state.options.durability === 'sync') yield* syncFile(handle)",
        "try { if (this.#state.options.durability === 'sync') yield* syncFile(handle) } catch (error) { void error }",
      ],
    ],
  },
  {
    name: 'segment goes on after a failed write or sync',
    file: writer,
    replace: [
      [
        "=== 'sync') yield* syncFile(handle)\n    } catch (error) {\n      this.#giveUp(active)\n",
        "=== 'sync') yield* syncFile(handle)\n    } catch (error) {\n",
      ],
    ],
  },
  {
    name: 'record ids of a failed write used again',
    file: writer,
    replace: [
      [
        'is older than all that follows.\n    this.#state.nextRecordId = group.nextRecordId\n',
        'is older.\n',
      ],
      [
        '    this.#publish(active, group, batches)\n',
        '    this.#state.nextRecordId = group.nextRecordId\n    this.#publish(active, group, batches)\n',
      ],
    ],
  },
  {
    name: 'new segment before the one before it is safe',
    file: writer,
    replace: [['    if (isSyncing) yield* this.sync()\n', '']],
  },
  {
    name: 'background sync that does nothing',
    file: writer,
    replace: [['      yield* syncFile(active.handle)\n', '']],
  },
  {
    name: 'no salt: every segment has the same mark and seed',
    file: writer,
    replace: [
      [
        'seal: { mark: salt.readUInt32LE(0) || 1, seed: salt.readUInt32LE(4) }',
        'seal: { mark: 0x5eed5eed, seed: salt.length }',
      ],
    ],
  },
  {
    name: 'owner not checked: no fencing',
    file: writer,
    replace: [
      [
        '    if (yield* this.#checkpoint.isOvertaken(this.#state.ownerId)) {',
        '    if (Number.isNaN(this.#lastId)) {',
      ],
    ],
  },
  {
    name: 'end of the previous segment not stored',
    file: writer,
    replace: [['previousEnd: previous?.end ?? 0', 'previousEnd: previous?.file.bytes ?? 0']],
  },
  {
    name: 'group resolved early',
    file: committer,
    replace: [
      [
        '    try {\n      const batches = group.map(',
        '    for (const { done } of group) done.resolve()\n    try {\n      const batches = group.map(',
      ],
    ],
  },
  {
    name: 'failure told to nobody: a failed group resolves',
    file: committer,
    replace: [
      [
        'for (const { done } of group) done.reject(failure)',
        'for (const { done } of group) done.resolve()',
      ],
    ],
  },
  {
    name: 'acknowledgements do not ride on groups',
    file: committer,
    replace: [
      [
        'const isStoring = this.#due.cursors || (group.length > 0 && this.#parts.cursors.isDirty)',
        'const isStoring = this.#due.cursors && group.length > 1_000_000',
      ],
    ],
  },
  {
    name: 'cursors count as stored before they are written',
    file: committer,
    replace: [
      ['    if (snapshot) cursors.stored(snapshot)\n    this.#groups', '    this.#groups'],
      [
        '    yield* writer.commit(isStoring ? take() : undefined, batches, take)\n',
        '    const early = isStoring ? take() : undefined\n    if (snapshot) cursors.stored(snapshot)\n    yield* writer.commit(early, batches, take)\n',
      ],
    ],
  },
  {
    name: 'full disk: no new try',
    file: committer,
    replace: [
      [
        'this.#refusal = { error: failure, until: this.#now() + waitMs }',
        'this.#refusal = { error: failure, until: Number.POSITIVE_INFINITY }',
      ],
    ],
  },
  {
    name: 'closed while a group is on its way',
    file: committer,
    replace: [['    while (this.#pumping) await this.#pumping\n', '']],
  },
  {
    name: 'frontier not stored in records',
    file: encoder,
    replace: [['frontier: place.frontier', 'frontier: 0']],
  },
  {
    name: 'no zeroes behind a group',
    file: encoder,
    replace: [
      [
        '  staging.fill(0, at, at + terminator)\n  buffers.push(staging.subarray(stagedFrom, at + terminator))',
        '  buffers.push(staging.subarray(stagedFrom, at + Math.min(0, terminator)))',
      ],
    ],
  },
  {
    name: 'frontier not stored in the checkpoint',
    file: maintenance,
    replace: [
      [
        'frontier: this.#writer.frontier,',
        'frontier: { segmentId: 0, offset: 0, nextSequence: 1, nextRecordId: 1 },',
      ],
    ],
  },
  {
    name: 'recycle before the cursor is durable',
    file: maintenance,
    replace: [
      [
        '    yield* this.checkpoint()\n    const lowest = this.#lowestOf(this.#checkpointed?.cursors ?? [])\n',
        '    const lowest = this.#lowest()\n',
      ],
    ],
  },
  {
    name: 'segment released although another consumer needs it',
    file: maintenance,
    replace: [
      [
        'return Math.min(...cursors.map(({ sequence }) => sequence))',
        'return Math.max(...cursors.map(({ sequence }) => sequence))',
      ],
    ],
  },
  {
    name: 'retention ignored',
    file: maintenance,
    replace: [['    return !this.#isRetained(lowest)\n', '    return true\n']],
  },
  {
    name: 'segments never released',
    file: maintenance,
    replace: [['    return !this.#isRetained(lowest)\n', '    return false\n']],
  },
  {
    name: 'checkpoint written in place: always the same slot',
    file: checkpoint,
    replace: [['(generation % SLOTS) * SLOT_BYTES', '0']],
  },
  {
    name: 'checkpoint not synced',
    file: checkpoint,
    replace: [
      [
        '    yield* syncFile(this.#handle)\n    this.#generation = generation',
        '    this.#generation = generation',
      ],
    ],
  },
  {
    name: 'no directory sync for a new segment',
    file: pool,
    replace: [['      yield* syncDirectory(disk, path)\n', '']],
  },
  {
    name: 'free space not kept',
    file: pool,
    replace: [['if (free < minimumFreeBytes + bytes) {', 'if (free < 0) {']],
  },
  {
    name: 'spare segments without limit',
    file: pool,
    replace: [['if (isUseful && this.#free.length < spareSegments)', 'if (isUseful)']],
  },
  {
    name: 'short write ignored',
    file: wal('disk/steps.ts'),
    replace: [['    rest = behind(rest, count)\n', '    rest = behind(rest, count).slice(0, 0)\n']],
  },
  {
    name: 'short read ignored',
    file: wal('disk/steps.ts'),
    replace: [
      ['    if (count === 0) break\n    done += count\n', '    done += count\n    break\n'],
    ],
  },
  {
    name: 'a new file replaces one of the same name',
    file: wal('disk/node-disk.ts'),
    replace: [["create: 'wx+'", "create: 'w+'"]],
  },
  {
    name: 'fdatasync of the real disk left out',
    file: wal('disk/node-disk.ts'),
    replace: [
      [
        'fs.fdatasync(this.#fd, (error) => (error ? reject(error) : resolve()))',
        'fs.fstat(this.#fd, (error) => (error ? reject(error) : resolve()))',
      ],
    ],
  },
]
