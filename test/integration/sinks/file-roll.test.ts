import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AvroEventSerializer } from '@millrace/agent-core/internal/serializers/avro-event'
import { TextSerializer } from '@millrace/agent-core/internal/serializers/text'
import { fileRollSink } from '@millrace/agent-core/internal/sinks/file-roll'
import {
  FileRollSink,
  type FileRollSinkHost,
  type FileRollSinkOptions,
} from '@millrace/agent-core/internal/sinks/file-roll-sink'
import { diskFiles } from '@millrace/agent-core/internal/sinks/output-file'
import { silentLogger, systemClock } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'
import { batchOf, noAbort, sinkContext } from '../../support/component-context.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

const STOP = { deadlineMs: 2_000 }

function contents(directory: string): Record<string, string> {
  const names = readdirSync(directory).sort()
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join(directory, name), 'utf8')]),
  )
}

describe('file_roll sink', () => {
  const started: FileRollSink[] = []

  function make(
    options: Partial<FileRollSinkOptions> = {},
    host: Partial<FileRollSinkHost> = {},
  ): { sink: FileRollSink; directory: string } {
    const directory = options.directory ?? temporaryDirectory()
    const sink = new FileRollSink(
      {
        directory,
        pathManager: 'DEFAULT',
        extension: '',
        prefix: '',
        rollIntervalMs: 0,
        batchSize: 100,
        fsync: 'auto',
        ...options,
      },
      {
        createSerializer: () => new TextSerializer(true),
        logger: silentLogger,
        clock: systemClock,
        files: diskFiles,
        ...host,
      },
    )
    started.push(sink)
    return { sink, directory }
  }

  afterEach(async () => {
    await Promise.all(started.splice(0).map((sink) => sink.stop(STOP)))
  })

  it('has the bytes in the file when a write resolves', async () => {
    const { sink, directory } = make({}, { clock: new FakeClock(1_234) })
    await sink.start(sinkContext())
    await sink.write(batchOf('one', 'two'), noAbort)
    assert.deepEqual(contents(directory), { '1234-1': 'one\ntwo\n' })
    await sink.write(batchOf('three'), noAbort)
    assert.deepEqual(contents(directory), { '1234-1': 'one\ntwo\nthree\n' })
  })

  it('begins a new file at each interval, with traffic and without', async () => {
    const clock = new FakeClock(1_000)
    const options = { rollIntervalMs: 30_000, prefix: 'log-', extension: 'txt' }
    const { sink, directory } = make(options, { clock })
    await sink.start(sinkContext())
    await sink.write(batchOf('a'), noAbort)
    await clock.advance(30_000)
    await sink.write(batchOf('b'), noAbort)
    await clock.advance(30_000)
    await sink.write(batchOf(), noAbort)
    await clock.advance(30_000)
    await sink.write(batchOf('c'), noAbort)
    await sink.stop(STOP)
    assert.deepEqual(contents(directory), {
      'log-1000-1.txt': 'a\n',
      'log-1000-2.txt': 'b\n',
      'log-1000-3.txt': '',
      'log-1000-4.txt': 'c\n',
    })
    assert.equal(clock.pendingTimers, 0)
  })

  it('names files by local time with ROLLTIME', async () => {
    const clock = new FakeClock(new Date(2026, 0, 2, 3, 4, 5).getTime())
    const options = { pathManager: 'ROLLTIME', rollIntervalMs: 1_000, extension: 'log' } as const
    const { sink, directory } = make(options, { clock })
    await sink.start(sinkContext())
    await sink.stop(STOP)
    await sink.start(sinkContext())
    await clock.advance(1_000)
    await sink.write(batchOf(), noAbort)
    assert.deepEqual(Object.keys(contents(directory)), [
      '20260102030405-1.log',
      '20260102030405-2.log',
      '20260102030406-1.log',
    ])
  })

  it('never touches a file that is already there', async () => {
    const { sink, directory } = make({}, { clock: new FakeClock(77) })
    writeFileSync(join(directory, '77-1'), 'old')
    mkdirSync(join(directory, '77-2'))
    await sink.start(sinkContext())
    await sink.write(batchOf('new'), noAbort)
    assert.equal(readFileSync(join(directory, '77-1'), 'utf8'), 'old')
    assert.equal(readFileSync(join(directory, '77-3'), 'utf8'), 'new\n')
  })

  it('does not start without its directory, and says which', async () => {
    const directory = join(temporaryDirectory(), 'missing')
    const { sink } = make({ directory })
    await assert.rejects(sink.start(sinkContext()), (error: Error) => {
      assert.ok(error.message.includes(directory))
      return Reflect.get(error, 'code') === 'MILLRACE_LIFECYCLE_START_FAILED'
    })
    assert.equal(existsSync(directory), false)
    const file = join(temporaryDirectory(), 'file')
    writeFileSync(file, '')
    await assert.rejects(make({ directory: file }).sink.start(sinkContext()), /is no directory/)
  })

  it('begins each file with the header of its own serializer', async () => {
    const clock = new FakeClock(5)
    const createSerializer = () =>
      new AvroEventSerializer({ syncIntervalBytes: 2_048_000, compressionCodec: 'null' })
    const { sink, directory } = make({ rollIntervalMs: 1_000 }, { clock, createSerializer })
    await sink.start(sinkContext())
    await sink.write(batchOf('x'), noAbort)
    await clock.advance(1_000)
    await sink.write(batchOf('y', 'z'), noAbort)
    await sink.stop(STOP)
    const sizes = readdirSync(directory)
      .sort()
      .map((name) => readFileSync(join(directory, name)))
    assert.deepEqual(
      sizes.map((bytes) => [bytes.subarray(0, 4).toString('hex'), bytes.length]),
      [
        ['4f626a01', 185 + 2 + 3 + 16],
        ['4f626a01', 185 + 2 + 6 + 16],
      ],
    )
  })

  it('refuses a write before its start and after its stop', async () => {
    const { sink } = make()
    await sink.stop(STOP)
    await assert.rejects(sink.write(batchOf('x'), noAbort), { code: 'MILLRACE_LIFECYCLE_STATE' })
    await sink.start(sinkContext())
    await sink.stop(STOP)
    await sink.stop(STOP)
    await assert.rejects(sink.write(batchOf('x'), noAbort), { code: 'MILLRACE_LIFECYCLE_STATE' })
  })

  it('writes nothing when the write is given up before its turn', async () => {
    const { sink, directory } = make({}, { clock: new FakeClock(9) })
    await sink.start(sinkContext())
    await assert.rejects(sink.write(batchOf('x'), AbortSignal.abort()), {
      code: 'MILLRACE_ABORTED',
    })
    assert.deepEqual(contents(directory), { '9-1': '' })
  })

  it('refuses a path manager that is neither DEFAULT nor ROLLTIME', () => {
    const options = { pathManager: 'com.example.Mine' } as Parameters<
      NonNullable<typeof fileRollSink.check>
    >[0]
    const wiring = { channels: [], sinks: [] }
    assert.equal(fileRollSink.check?.(options, wiring)[0]?.code, 'MILLRACE_CONFIG_UNSUPPORTED')
    for (const pathManager of [
      'rolltime',
      'org.apache.flume.formatter.output.DefaultPathManager$Builder',
    ]) {
      assert.deepEqual(fileRollSink.check?.({ ...options, pathManager }, wiring), [])
    }
  })
})
