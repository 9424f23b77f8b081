import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { MillraceError } from '@millrace/runtime'
import type { Log } from '@millrace/wal'
import { repository } from '../../support/repository.js'
import { temporaryDirectory } from '../../support/temp-directory.js'
import {
  drain,
  fill,
  liveSegments,
  logOptions,
  openLog,
  range,
  segmentFiles,
} from '../../support/wal.js'

const hasCode = (code: string) => (error: unknown) => MillraceError.is(error) && error.code === code

/** A closed log of 1,000 events in some segments, nothing of it acknowledged. */
async function closedLog(directory = temporaryDirectory()): Promise<string> {
  const log = await openLog(directory)
  await fill(log, 0, 1000)
  await log.close()
  return directory
}

/** The files of a log of 1,000 events as the end of its process leaves them. */
async function killedLog(): Promise<string> {
  const directory = temporaryDirectory()
  const open = temporaryDirectory()
  const log = await openLog(open)
  await fill(log, 0, 1000)
  for (const part of ['data', 'checkpoint']) {
    const filter = (path: string) => !path.includes('owner.sock')
    cpSync(join(open, part), join(directory, part), { recursive: true, filter })
  }
  await log.close()
  return directory
}

/** What a consumer reads, how many events it misses, and which kinds of findings the opening reports. */
async function readAll(directory: string): Promise<{
  readonly numbers: readonly number[]
  readonly lost: number
  readonly kinds: readonly string[]
}> {
  const log = await openLog(directory)
  const kinds = log.recovery.findings.map(({ kind }) => kind)
  const numbers = await drain(log.consumer('sinks'))
  const { lostEvents } = log.stats()
  await log.close()
  return { numbers, lost: lostEvents, kinds }
}

const everything = range(0, 1000)

/** The name and bytes of every file below a directory. */
function contents(directory: string): Map<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
  return new Map(
    files
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path).toString('latin1')]),
  )
}

describe('opening a log', () => {
  it('removes a file of zero length and an unfinished one, and loses nothing', async () => {
    const directory = await closedLog()
    writeFileSync(join(directory, 'data/segment-0000000088.wal'), '')
    writeFileSync(join(directory, 'data/segment-0000000089.wal'), Buffer.alloc(10_000))
    const { numbers, kinds } = await readAll(directory)
    assert.deepEqual(numbers, everything)
    assert.deepEqual(kinds, ['unfinished', 'unfinished'])
    const log = await openLog(directory)
    assert.deepEqual(log.recovery.findings, [])
    await fill(log, 1000, 2000)
    await log.close()
    // Numbers of files are never used again.
    assert.ok(segmentFiles(directory).some((path) => path.endsWith('0000000090.wal')))
  })

  it('leaves foreign files alone and reports them', async () => {
    const directory = await closedLog()
    const foreign = join(directory, 'data/notes.txt')
    writeFileSync(foreign, 'mine')
    const { numbers, kinds } = await readAll(directory)
    assert.deepEqual(numbers, everything)
    assert.deepEqual(kinds, ['foreign'])
    assert.equal(readFileSync(foreign, 'utf8'), 'mine')
  })

  it('leaves a directory with the name of a segment alone, and never uses that name', async () => {
    const directory = await closedLog()
    const foreign = join(directory, 'data/segment-0000000090.wal')
    mkdirSync(foreign)
    const { numbers, kinds } = await readAll(directory)
    assert.deepEqual(numbers, everything)
    assert.deepEqual(kinds, ['foreign'])
    assert.ok(statSync(foreign).isDirectory())
  })

  it('uses a segment under another name', async () => {
    const directory = await closedLog()
    const [, second = ''] = segmentFiles(directory)
    renameSync(second, join(directory, 'data/segment-0000000777.wal'))
    const { numbers, kinds } = await readAll(directory)
    assert.deepEqual(numbers, everything)
    assert.deepEqual(kinds, ['renamed'])
  })

  it('takes the segment with its own name of two that are the same, and leaves the other alone', async () => {
    const directory = await closedLog()
    const [first = ''] = segmentFiles(directory)
    const copy = join(directory, 'data/segment-0000000500.wal')
    copyFileSync(first, copy)
    const before = readFileSync(copy)
    const { numbers, kinds } = await readAll(directory)
    assert.deepEqual(numbers, everything)
    assert.deepEqual(kinds, ['doubled'])
    assert.ok(readFileSync(copy).equals(before))
  })

  for (const [which, index] of [
    ['first', 0],
    ['middle', 1],
    ['last', -1],
  ] as const) {
    it(`counts exactly what a missing ${which} segment costs, and goes on`, async () => {
      const directory = await closedLog()
      rmSync(liveSegments(directory).at(index) ?? '')
      const { numbers, lost } = await readAll(directory)
      assert.ok(lost > 0 && lost < 1000)
      assert.equal(numbers.length + lost, 1000)
      assert.deepEqual(
        numbers,
        [...new Set(numbers)].toSorted((a, b) => a - b),
      )
      const log = await openLog(directory)
      await fill(log, 1000, 1010)
      assert.deepEqual((await drain(log.consumer('sinks'))).slice(-10), range(1000, 1010))
      await log.close()
    })
  }

  it('counts everything as lost when all segments are missing, and goes on', async () => {
    const directory = await closedLog()
    for (const path of segmentFiles(directory)) rmSync(path)
    const { numbers, lost } = await readAll(directory)
    assert.deepEqual([numbers, lost], [[], 1000])
    const log = await openLog(directory)
    await fill(log, 1000, 1010)
    assert.deepEqual(await drain(log.consumer('sinks')), range(1000, 1010))
    await log.close()
  })

  it('sets a segment aside whose headers are both damaged, and counts its events', async () => {
    const directory = await closedLog()
    const [, second = ''] = segmentFiles(directory)
    const bytes = readFileSync(second)
    bytes.fill(0xaa, 0, 8192)
    writeFileSync(second, bytes)
    const { numbers, lost, kinds } = await readAll(directory)
    assert.equal(numbers.length + lost, 1000)
    assert.deepEqual(kinds, ['unreadable'])
    assert.equal(readdirSync(join(directory, 'data/quarantine')).length, 1)
  })

  it('needs one of the two headers only', async () => {
    const directory = await closedLog()
    for (const path of segmentFiles(directory)) {
      const bytes = readFileSync(path)
      bytes.fill(0, 0, 4096)
      writeFileSync(path, bytes)
    }
    const { numbers, kinds } = await readAll(directory)
    assert.deepEqual([numbers, kinds], [everything, []])
  })

  it('counts what a segment that was cut short has lost', async () => {
    const directory = await closedLog()
    truncateSync(liveSegments(directory).at(-1) ?? '', 9000)
    const { numbers, lost, kinds } = await readAll(directory)
    assert.ok(lost > 0)
    assert.equal(numbers.length + lost, 1000)
    assert.deepEqual(kinds, ['damage'])
  })

  it('makes a checkpoint anew that is missing, and keeps the positions of the consumers', async () => {
    const directory = temporaryDirectory()
    const log = await openLog(directory, { cursorIntervalMs: 1 })
    await fill(log, 0, 1000)
    const consumer = log.consumer('sinks')
    for (const { firstSequence, batch } of await consumer.read({ maxBytes: 20_000 })) {
      await consumer.acknowledge(firstSequence, firstSequence + batch.size)
    }
    await fill(log, 1000, 1010)
    const left = consumer.backlog.events
    await log.close()
    rmSync(join(directory, 'checkpoint'), { recursive: true })
    const again = await openLog(directory)
    assert.deepEqual(
      again.recovery.findings.map(({ kind }) => kind),
      ['checkpoint'],
    )
    assert.equal(again.consumer('sinks').backlog.events, left)
    assert.deepEqual(await drain(again.consumer('sinks')), range(1010 - left, 1010))
    await again.close()
  })

  it('finds its directories again by their segments when they lost their identity', async () => {
    const directory = await closedLog()
    rmSync(join(directory, 'data/directory.wal'))
    const { numbers, kinds } = await readAll(directory)
    assert.deepEqual([numbers, kinds], [everything, ['checkpoint']])
  })

  it('refuses to open when another disk is mounted at a data directory, and changes nothing', async () => {
    const directory = await closedLog()
    renameSync(join(directory, 'data'), join(directory, 'unmounted'))
    mkdirSync(join(directory, 'data'))
    await assert.rejects(openLog(directory), hasCode('MILLRACE_LOG_DIRECTORY'))
    assert.deepEqual(readdirSync(join(directory, 'data')), [])
    rmSync(join(directory, 'data'), { recursive: true })
    renameSync(join(directory, 'unmounted'), join(directory, 'data'))
    assert.deepEqual((await readAll(directory)).numbers, everything)
  })

  it('refuses directories of two logs', async () => {
    const one = await closedLog()
    const other = await closedLog()
    rmSync(join(one, 'data'), { recursive: true })
    renameSync(join(other, 'data'), join(one, 'data'))
    await assert.rejects(openLog(one), hasCode('MILLRACE_LOG_DIRECTORY'))
  })

  for (const [what, file, at] of [
    ['segment', 'data/segment-0000000001.wal', 0],
    ['checkpoint', 'checkpoint/cursors.wal', 0],
    ['directory', 'data/directory.wal', 0],
  ] as const) {
    it(`refuses a ${what} of a version that it does not know, and changes nothing`, async () => {
      const directory = await closedLog()
      const path = join(directory, file)
      const bytes = readFileSync(path)
      bytes.writeUInt32LE(2, at + 12)
      const end = { segment: 128, checkpoint: bytes.readUInt32LE(16), directory: 64 }[what]
      bytes.writeUInt32LE(crc32(bytes.subarray(at + 12, at + end)), at + 8)
      writeFileSync(path, bytes)
      const before = contents(directory)
      await assert.rejects(openLog(directory), hasCode('MILLRACE_LOG_VERSION'))
      assert.deepEqual(contents(directory), before)
    })
  }

  for (const [where, name] of [
    ['data', 'log-1'],
    ['data', 'log-12.meta'],
    ['checkpoint', 'checkpoint'],
    ['checkpoint', 'inflighttakes'],
  ] as const) {
    it(`refuses a ${where} directory with Apache Flume's ${name}, and changes nothing`, async () => {
      const directory = temporaryDirectory()
      mkdirSync(join(directory, where))
      writeFileSync(join(directory, where, name), 'of Flume')
      const before = contents(directory)
      await assert.rejects(openLog(directory), (error) => {
        assert.ok(hasCode('MILLRACE_LOG_FLUME_DATA')(error))
        assert.match(String(error), new RegExp(`${where} holds .*${name}.*Drain it with Flume`))
        return true
      })
      assert.deepEqual(contents(directory), before)
      assert.deepEqual(readdirSync(directory), [where])
    })
  }

  it('reports a log that was not closed and whose last segment was cut short, if only behind a record', async () => {
    const directory = await killedLog()
    const last = liveSegments(directory).at(-1) ?? ''
    const bytes = readFileSync(last)
    const mark = bytes.readUInt32LE(52)
    const starts = range(1024, 8192)
      .map((index) => index * 8)
      .filter((at) => bytes.readUInt32LE(at) === mark && bytes.readUInt32LE(at + 8) === at)
    truncateSync(last, starts.at(-2) ?? 0)
    const log = await openLog(directory)
    const [finding] = log.recovery.findings
    assert.equal(finding?.kind, 'cut-tail')
    const { length } = await drain(log.consumer('sinks'))
    assert.ok(length < 1000 && length + (finding.atMostEvents ?? 0) >= 1000)
    await log.close()
  })

  it('says that the end is not known when the last segment of a log that was not closed is missing', async () => {
    const directory = await killedLog()
    rmSync(liveSegments(directory).at(-1) ?? '')
    const log = await openLog(directory)
    const missing = log.recovery.findings.find(({ kind }) => kind === 'missing')
    const { length } = await drain(log.consumer('sinks'))
    assert.ok(missing?.atMostEvents)
    assert.ok(length + log.stats().lostEvents + missing.atMostEvents >= 1000)
    await log.close()
  })

  it('refuses a data directory that a live log has, whatever the checkpoint directory', async () => {
    const directory = temporaryDirectory()
    const log = await openLog(directory)
    const checkpointDirectory = join(directory, 'other')
    await assert.rejects(
      openLog(directory, { checkpointDirectory }),
      hasCode('MILLRACE_LOG_IN_USE'),
    )
    const dataDirectories = [join(directory, 'more'), join(directory, 'data')]
    await assert.rejects(
      openLog(directory, { checkpointDirectory, dataDirectories }),
      hasCode('MILLRACE_LOG_IN_USE'),
    )
    await log.close()
  })

  it('refuses a data directory that is named twice through a link', async () => {
    const directory = temporaryDirectory()
    mkdirSync(join(directory, 'data'))
    symlinkSync(join(directory, 'data'), join(directory, 'link'))
    const dataDirectories = [join(directory, 'data'), join(directory, 'link')]
    await assert.rejects(openLog(directory, { dataDirectories }), /named twice/)
    const log = await openLog(directory)
    await log.close()
  })

  it('refuses a log that another log of this process has open, until it is closed', async () => {
    const directory = temporaryDirectory()
    const log = await openLog(directory)
    await assert.rejects(openLog(directory), hasCode('MILLRACE_LOG_IN_USE'))
    await log.close()
    const again = await openLog(directory)
    await again.close()
  })

  it('refuses a log of another live process and names it, and takes over from a dead one', async () => {
    // Too long a path for a socket.
    const directory = join(temporaryDirectory(), 'x'.repeat(120))
    mkdirSync(directory)
    const program = `
      import { Log } from '@millrace/wal'
      const options = JSON.parse(process.argv[1])
      const log = await Log.open(options)
      console.log('open')
      setInterval(() => {}, 1000)`
    const child = spawn(
      process.execPath,
      ['--input-type=module', '-e', program, JSON.stringify(logOptions(directory))],
      { cwd: join(repository, 'test'), stdio: ['ignore', 'pipe', 'inherit'] },
    )
    await once(child.stdout, 'data')
    await assert.rejects(openLog(directory), (error) => {
      assert.ok(hasCode('MILLRACE_LOG_IN_USE')(error))
      assert.match(String(error), new RegExp(`in use by process ${child.pid}`))
      return true
    })
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.ok(existsSync(join(directory, 'checkpoint/owner.sock')))
    const log = await openLog(directory)
    await log.close()
  })

  it('lets one of many that open a dead log at the same moment have it', async () => {
    const directory = await closedLog()
    const results = await Promise.allSettled(range(0, 8).map(() => openLog(directory)))
    const opened = results.filter((result) => result.status === 'fulfilled')
    assert.equal(opened.length, 1)
    await (opened[0] as PromiseFulfilledResult<Log>).value.close()
  })
})
