// Breakages of the spool of the appenders. Each names the tests that must notice it.
const spool = (path) => `packages/appender/src/spool/${path}`
const feed = spool('spool-feed.ts')
const spools = spool('spools.ts')
const adoption = spool('adoption.ts')
const directory = spool('spool-directory.ts')
const intake = 'packages/appender/src/intake.ts'

const SPOOL = [/^integration\/appender\/spool\.test/]
const KILL = [/^integration\/appender\/spool-kill/]
const CONSERVATION = [/^property\/appender\/spool/]

export const APPENDER_SPOOL = [
  {
    name: 'spool: its bytes have no limit',
    file: spools,
    tests: SPOOL,
    replace: [['while (this.#bytes > place.maxDiskBytes) {', 'while (this.#bytes < 0) {']],
  },
  {
    name: 'spool: events on the disk do not grow old',
    file: feed,
    tests: SPOOL,
    replace: [
      ['const ageMs = Math.max(0, clock.now() - appendedAtMs)', 'const ageMs = appendedAtMs * 0'],
    ],
  },
  {
    name: 'spool: what the disk does not take is dropped',
    file: intake,
    tests: SPOOL,
    replace: [
      [
        'return spooling && this.#queue(spooling.memoryLane, level, sequence, bytes)',
        'return undefined',
      ],
    ],
  },
  {
    name: 'spool: there is one try to make the directory',
    file: spool('spool.ts'),
    tests: SPOOL,
    replace: [['if (!this.#log && !this.#isClosed) this.#open()', 'void this.#open']],
  },
  {
    name: 'spool: what ended processes left is not looked for',
    file: spools,
    tests: [...SPOOL, ...KILL],
    replace: [['    void this.#adoption.scan()\n', '']],
  },
  {
    name: 'spool: an empty one is let go before it is removed',
    file: directory,
    tests: SPOOL,
    replace: [['    await rename(path, aside)\n', "    throw new Error('kept')\n"]],
  },
  {
    name: 'spool: an adopted one is not waited for when the appender closes',
    file: adoption,
    tests: SPOOL,
    replace: [['    await Promise.all(this.#leaving)\n', '']],
  },
  {
    name: 'spool: the first event that waits on the disk only is forgotten',
    file: feed,
    tests: CONSERVATION,
    replace: [['    this.#nextPlace = place\n', '    this.#nextPlace = place + 1\n']],
  },
  {
    name: 'spool: the lane and the disk wake each other without end',
    file: feed,
    tests: SPOOL,
    replace: [
      [
        'if (hasLoaded && lane.queue.events > 0) lane.noticed()',
        'if (lane.queue.events > 0) lane.noticed()',
      ],
    ],
  },
]
