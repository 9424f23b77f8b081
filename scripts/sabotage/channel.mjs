// Breakages of the file channel and of the sink that makes its events safe elsewhere.
const core = (path) => `agent-core/src/${path}`
const channel = core('channels/file-channel.ts')
const takeSide = core('channels/take-side.ts')
const stored = core('channels/stored-events.ts')
const readAhead = core('channels/read-ahead.ts')
const openLog = core('channels/file-channel-log.ts')

export const CHANNEL = [
  {
    name: 'put answered before the log has it',
    file: channel,
    replace: [
      [
        '      await opened.log.append(batch)\n',
        '      opened.log.append(batch).catch(() => {})\n',
      ],
    ],
  },
  {
    name: 'put that failed looks stored',
    file: channel,
    replace: [
      ['      throw putError(this.#name, error, this.#options)\n    } finally', '    } finally'],
    ],
  },
  {
    name: 'events acknowledged when they are taken: release before commit',
    file: takeSide,
    replace: [
      [
        '    const batch = batchOf(segments)\n',
        '    const batch = batchOf(segments)\n    void this.#host.onCommitted(segments)\n',
      ],
    ],
  },
  {
    name: 'rollback at the tail',
    file: stored,
    replace: [
      ['      if (compare(head, last) > 0) break\n', ''],
      ['[...ahead, ...segments].sort(compare)', '[...ahead, ...segments]'],
    ],
  },
  {
    name: 'rollback forgets events',
    file: takeSide,
    replace: [['    await this.#end([], this.#segments)\n', '    await this.#end([], [])\n']],
  },
  {
    name: 'commit acknowledges the events that were excepted',
    file: takeSide,
    replace: [['      except.length === 0\n', '      except.length >= 0\n']],
  },
  {
    name: 'commit does not wait for the bound on repeats',
    file: takeSide,
    replace: [['    if (done) await done\n', '    void done\n']],
  },
  {
    name: 'acknowledges one event more than was committed',
    file: channel,
    replace: [
      [
        'ranges.push([entry.sequence + from, entry.sequence + to])',
        'ranges.push([entry.sequence + from, entry.sequence + to + 1])',
      ],
    ],
  },
  {
    name: 'acknowledges nothing',
    file: channel,
    replace: [
      [
        'const stored = consumer.acknowledge(from, to)',
        'const stored = consumer.acknowledge(from, Math.min(from, to))',
      ],
    ],
  },
  {
    name: 'capacity ignored',
    file: channel,
    replace: [['size.events + events <= this.#options.capacity', 'size.events + events >= 0']],
  },
  {
    name: 'room of puts under way not counted',
    file: channel,
    replace: [
      [
        '  return { events: events + pending.events, bytes: bytes + pending.bytes }',
        '  return { events: events + 0 * pending.events, bytes }',
      ],
    ],
  },
  {
    name: 'a full disk is waited for and not refused',
    file: channel,
    replace: [
      [
        'if (!this.#opened || this.#opened.log.refusal) return false',
        'if (!this.#opened) return false',
      ],
    ],
  },
  {
    name: 'a log that was taken over is not reported',
    file: channel,
    replace: [['      if (isLogGone(error)) opened.context.fail(error)\n', '']],
  },
  {
    name: 'puts that wait are not woken by commits',
    file: channel,
    replace: [['      this.#puts.admit()\n      return waits', '      return waits']],
  },
  {
    name: 'a start that was given up keeps the directories',
    file: channel,
    replace: [['      await log.close()\n      throw closedError', '      throw closedError']],
  },
  {
    name: 'never synced: fsyncPerTransaction ignored',
    file: openLog,
    replace: [
      [
        "durability: options.fsyncPerTransaction ? 'sync' : 'write'",
        "durability: options.fsyncPerTransaction ? 'write' : 'write'",
      ],
    ],
  },
  {
    name: 'maxRepeatedEvents ignored',
    file: openLog,
    replace: [['    maxRepeatedEvents: options.maxRepeatedEvents,\n', '']],
  },
  {
    name: 'minimumRequiredSpace ignored',
    file: openLog,
    replace: [
      [
        'minimumFreeBytes: Math.max(options.minimumRequiredSpace, LEAST_FREE_BYTES)',
        'minimumFreeBytes: Math.min(0, options.minimumRequiredSpace)',
      ],
    ],
  },
  {
    name: 'a failed read is not tried again',
    file: readAhead,
    replace: [
      [
        '      this.#hasMore = true\n      if (!this.#isClosed) onFailure(error)',
        '      if (!this.#isClosed) onFailure(error)',
      ],
    ],
  },
  {
    name: 'lost wake-up: what comes during a read is forgotten',
    file: readAhead,
    replace: [
      [
        '        if (consumer.nextSequence > before) this.#hasMore = true\n',
        '        this.#hasMore = consumer.nextSequence > before\n',
      ],
    ],
  },
  {
    name: 'reads without a bound on memory',
    file: readAhead,
    replace: [
      ['this.#options.stored.waitingBytes < READ_BYTES', 'this.#options.stored.waitingBytes >= 0'],
    ],
  },
  {
    name: 'file_roll resolves before its file is synced',
    file: core('sinks/file-roll-sink.ts'),
    replace: [
      [
        "this.#syncs = fsync === 'auto' ? context.isChannelDurable : fsync === 'always'",
        "this.#syncs = fsync === 'always'",
      ],
    ],
  },
  {
    name: 'file_roll does not sync the directory of a new file',
    file: core('sinks/output-file.ts'),
    replace: [
      ['      if (!this.#isNamed) await this.#files.syncDirectory(dirname(this.path))\n', ''],
    ],
  },
]
