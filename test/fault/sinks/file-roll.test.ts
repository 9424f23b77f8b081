import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { AvroEventSerializer } from '@millrace/agent-core/internal/serializers/avro-event'
import { TextSerializer } from '@millrace/agent-core/internal/serializers/text'
import { FileRollSink } from '@millrace/agent-core/internal/sinks/file-roll-sink'
import { diskFiles, type FileSystem } from '@millrace/agent-core/internal/sinks/output-file'
import type { EventSerializer } from '@millrace/component'
import { silentLogger, systemClock } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'
import { batchOf, keptLogger, noAbort, sinkContext } from '../../support/component-context.js'
import { FaultyFiles } from '../../support/faulty-files.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

const STOP = { deadlineMs: 2_000 }

interface Setup {
  readonly sink: FileRollSink
  readonly files: FaultyFiles
  readonly lines: readonly string[]
  /** Contents of the files, in the order in which they were begun. */
  texts(): readonly string[]
}

const made: FileRollSink[] = []

function setUp(
  createSerializer: () => EventSerializer = () => new TextSerializer(true),
  fsync: 'auto' | 'always' | 'never' = 'auto',
): Setup {
  const directory = temporaryDirectory()
  const files = new FaultyFiles()
  const { logger, lines } = keptLogger()
  const sink = new FileRollSink(
    { ...OPTIONS, directory, fsync },
    { createSerializer, logger, clock: new FakeClock(1), files },
  )
  made.push(sink)
  const texts = () =>
    readdirSync(directory)
      .sort()
      .map((name) => readFileSync(join(directory, name), 'latin1'))
  return { sink, files, lines, texts }
}

const OPTIONS = {
  directory: '',
  pathManager: 'DEFAULT',
  extension: '',
  prefix: '',
  rollIntervalMs: 0,
  batchSize: 100,
  fsync: 'auto',
} as const

describe('file_roll sink on a failing disk', () => {
  afterEach(async () => {
    await Promise.all(made.splice(0).map((sink) => sink.stop(STOP)))
  })

  it('leaves no part of a batch behind when the disk is full, and goes on when there is room', async () => {
    const { sink, files, texts } = setUp()
    await sink.start(sinkContext())
    await sink.write(batchOf('first'), noAbort)
    files.roomBytes = 4
    const batch = batchOf('second', 'third')
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await assert.rejects(sink.write(batch, noAbort), {
        code: 'MILLRACE_STORAGE_NO_SPACE',
        retryable: true,
      })
      assert.deepEqual(texts(), ['first\n'])
      files.roomBytes = attempt
    }
    files.roomBytes = 1_000
    // The events that come back may be others than those that failed.
    await sink.write(batchOf('2'), noAbort)
    await sink.stop(STOP)
    assert.deepEqual(texts(), ['first\n2\n'])
    assert.equal(files.created, 1)
  })

  it('writes on when a write takes a part of the bytes only', async () => {
    const { sink, files, texts } = setUp()
    files.maxWriteBytes = 3
    await sink.start(sinkContext())
    await sink.write(batchOf('a longer line', 'and another'), noAbort)
    assert.deepEqual(texts(), ['a longer line\nand another\n'])
  })

  it('fails a write that takes nothing', async () => {
    const { sink, files, texts } = setUp()
    await sink.start(sinkContext())
    files.maxWriteBytes = 0
    await assert.rejects(sink.write(batchOf('x'), noAbort), { code: 'MILLRACE_STORAGE_IO' })
    files.maxWriteBytes = 10
    await sink.write(batchOf('x'), noAbort)
    assert.deepEqual(texts(), ['x\n'])
  })

  it('begins a new file after a failure that is not a full disk', async () => {
    const { sink, files, texts } = setUp()
    await sink.start(sinkContext())
    await sink.write(batchOf('a'), noAbort)
    files.writeError = 'EIO'
    files.roomBytes = 1
    await assert.rejects(sink.write(batchOf('bcd'), noAbort), { code: 'MILLRACE_STORAGE_IO' })
    files.roomBytes = 1_000
    await sink.write(batchOf('bcd'), noAbort)
    assert.deepEqual(texts(), ['a\n', 'bcd\n'])
  })

  it('leaves no empty files behind while every one fails', async () => {
    const { sink, files, texts } = setUp()
    await sink.start(sinkContext())
    files.writeError = 'EIO'
    files.roomBytes = 0
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await assert.rejects(sink.write(batchOf('x'), noAbort), { code: 'MILLRACE_STORAGE_IO' })
    }
    assert.deepEqual(texts(), [])
    files.roomBytes = 1_000
    await sink.write(batchOf('x'), noAbort)
    assert.deepEqual(texts(), ['x\n'])
  })

  it('leaves a file that cannot be cut back, says where its good bytes end, and repeats in a new one', async () => {
    const { sink, files, lines, texts } = setUp()
    await sink.start(sinkContext())
    await sink.write(batchOf('good'), noAbort)
    files.roomBytes = 2
    files.truncateError = 'EIO'
    await assert.rejects(sink.write(batchOf('torn'), noAbort), {
      code: 'MILLRACE_STORAGE_NO_SPACE',
    })
    files.roomBytes = 1_000
    await sink.write(batchOf('torn'), noAbort)
    assert.deepEqual(texts(), ['good\nto', 'torn\n'])
    assert.match(lines.join(''), /part of an event behind its first 5 bytes/)
  })

  it('makes the next file once the disk can be written again', async () => {
    const { sink, files, texts } = setUp()
    await sink.start(sinkContext())
    files.writeError = 'EROFS'
    files.roomBytes = 0
    files.createError = 'EROFS'
    await assert.rejects(sink.write(batchOf('x'), noAbort), { code: 'MILLRACE_STORAGE_IO' })
    await assert.rejects(sink.write(batchOf('x'), noAbort), /cannot be made/)
    files.roomBytes = 1_000
    files.createError = undefined
    await sink.write(batchOf('x'), noAbort)
    assert.deepEqual(texts(), ['x\n'])
  })

  it('puts a header that found no room in front of the first events', async () => {
    const { sink, files, texts } = setUp(
      () => new AvroEventSerializer({ syncIntervalBytes: 2_048_000, compressionCodec: 'null' }),
    )
    files.roomBytes = 100
    await sink.start(sinkContext())
    assert.deepEqual(texts(), [''])
    await assert.rejects(sink.write(batchOf('x'), noAbort), { code: 'MILLRACE_STORAGE_NO_SPACE' })
    assert.deepEqual(texts(), [''])
    files.roomBytes = 1_000
    await sink.write(batchOf('x'), noAbort)
    const [text = ''] = texts()
    assert.ok(text.startsWith('Obj\x01'))
    assert.equal(text.length, 185 + 2 + 3 + 16)
    await sink.stop(STOP)
  })

  it('removes a file that never got its header', async () => {
    const { sink, files, texts } = setUp(
      () => new AvroEventSerializer({ syncIntervalBytes: 2_048_000, compressionCodec: 'null' }),
    )
    files.roomBytes = 0
    await sink.start(sinkContext())
    await sink.stop(STOP)
    assert.deepEqual(texts(), [])
  })

  it('says that a file cannot be made in a read-only directory', async () => {
    // Not even root can make a file there.
    const sink = new FileRollSink(
      { ...OPTIONS, directory: '/proc/self' },
      {
        createSerializer: () => new TextSerializer(true),
        logger: silentLogger,
        clock: systemClock,
        files: diskFiles,
      },
    )
    await assert.rejects(sink.start(sinkContext()), /No file can be made in \/proc\/self/)
    await sink.stop(STOP)
  })

  it('puts a batch on disk, and the name of a new file, before it resolves behind a durable channel', async () => {
    const { sink, files } = setUp()
    await sink.start(sinkContext({ isChannelDurable: true }))
    await sink.write(batchOf('a'), noAbort)
    await sink.write(batchOf('b'), noAbort)
    assert.deepEqual(files.calls, ['create', 'write', 'sync', 'directory', 'write', 'sync'])
  })

  it('syncs as sink.fsync says, whatever the channel', async () => {
    for (const isChannelDurable of [true, false]) {
      for (const [fsync, syncs] of [
        ['auto', isChannelDurable],
        ['always', true],
        ['never', false],
      ] as const) {
        const { sink, files } = setUp(() => new TextSerializer(true), fsync)
        await sink.start(sinkContext({ isChannelDurable }))
        await sink.write(batchOf('a'), noAbort)
        assert.equal(files.calls.includes('sync'), syncs, `${fsync} ${isChannelDurable}`)
      }
    }
  })

  for (const code of ['EIO', 'ENOSPC']) {
    it(`leaves a file whose sync failed with ${code}, without the events in doubt, and writes them to a new one`, async () => {
      const { sink, files, texts } = setUp()
      await sink.start(sinkContext({ isChannelDurable: true }))
      await sink.write(batchOf('a'), noAbort)
      files.syncError = code
      await assert.rejects(sink.write(batchOf('b'), noAbort), { retryable: true })
      await assert.rejects(sink.write(batchOf('b'), noAbort), { retryable: true })
      assert.deepEqual(texts(), ['a\n'])
      files.syncError = undefined
      await sink.write(batchOf('b'), noAbort)
      assert.deepEqual(texts(), ['a\n', 'b\n'])
    })
  }

  it('does not take events for safe while the name of their file is not', async () => {
    const { sink, files, texts } = setUp()
    await sink.start(sinkContext({ isChannelDurable: true }))
    files.directoryError = 'EIO'
    await assert.rejects(sink.write(batchOf('a'), noAbort), { code: 'MILLRACE_STORAGE_IO' })
    files.directoryError = undefined
    await sink.write(batchOf('a'), noAbort)
    assert.deepEqual(texts(), ['a\n'])
  })

  it('takes the full device of the system for a full disk', async () => {
    const files: FileSystem = {
      ...diskFiles,
      create: async () => {
        const handle = await open('/dev/full', 'r+')
        return {
          write: async (bytes, position) =>
            (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
          truncate: async () => {},
          sync: async () => {},
          close: () => handle.close(),
        }
      },
    }
    const createSerializer = () => new TextSerializer(true)
    const host = { createSerializer, logger: silentLogger, clock: systemClock, files }
    const sink = new FileRollSink({ ...OPTIONS, directory: temporaryDirectory() }, host)
    await sink.start(sinkContext())
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await assert.rejects(sink.write(batchOf('x'), noAbort), { code: 'MILLRACE_STORAGE_NO_SPACE' })
    }
    await sink.stop(STOP)
  })
})
