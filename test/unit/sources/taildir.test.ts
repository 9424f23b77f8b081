import assert from 'node:assert/strict'
import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ChannelError } from '@millrace/runtime'
import { keptLogger } from '../../support/component-context.js'
import { TailHarness } from '../../support/tail-harness.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

describe('taildir source', () => {
  let tail: TailHarness
  beforeEach(() => {
    tail = new TailHarness()
  })
  afterEach(() => tail.stop())

  /** Stores positions as Flume would. */
  function storeAsFlume(entries: readonly { name: string; pos: number; inode?: number }[]): void {
    mkdirSync(dirname(tail.positionFile), { recursive: true })
    const stored = entries.map(({ name, pos, inode = statSync(tail.path(name)).ino }) => ({
      inode,
      pos,
      file: tail.path(name),
    }))
    writeFileSync(tail.positionFile, JSON.stringify(stored))
  }

  it('reads whole lines as they come, each without its line end', async () => {
    await tail.start()
    tail.append('a.log', 'one\ntwo\r\n\nthr')
    await tail.rounds()
    assert.deepEqual(tail.texts, ['one', 'two', ''])
    tail.append('a.log', 'ee\n')
    await tail.rounds()
    assert.deepEqual(tail.texts, ['one', 'two', '', 'three'])
  })

  it('reads what is written while nothing runs, and nothing twice', async () => {
    tail.append('a.log', 'one\n')
    await tail.start()
    await tail.rounds()
    await tail.stop()
    tail.append('a.log', 'two\n')
    await tail.start()
    await tail.rounds()
    assert.deepEqual(tail.texts, ['one', 'two'])
  })

  it('goes on with a renamed file, under a name that is wanted and one that is not', async () => {
    for (const name of ['b.log', 'a.log.1']) {
      tail = new TailHarness()
      await tail.start()
      tail.append('a.log', 'one\n')
      await tail.rounds()
      tail.append('a.log', 'two\n')
      renameSync(tail.path('a.log'), tail.path(name))
      tail.append('a.log', 'three\n')
      tail.append(name, 'late\n')
      await tail.rounds()
      assert.deepEqual([...tail.texts].sort(), ['late', 'one', 'three', 'two'])
      await tail.stop()
    }
  })

  it('finishes a file that was renamed while nothing ran', async () => {
    await tail.start()
    tail.append('a.log', 'one\n')
    await tail.rounds()
    await tail.stop()
    tail.append('a.log', 'two\n')
    renameSync(tail.path('a.log'), tail.path('a.log.1'))
    tail.append('a.log', 'three\n')
    await tail.start()
    await tail.rounds()
    assert.deepEqual([...tail.texts].sort(), ['one', 'three', 'two'])
  })

  it('finishes a file that was renamed after its descriptor was closed', async () => {
    await tail.start()
    tail.append('a.log', 'one\n')
    await tail.rounds()
    await tail.clock.advance(120_000)
    await tail.rounds()
    tail.append('a.log', 'two\n')
    renameSync(tail.path('a.log'), tail.path('a.log.1'))
    await tail.rounds()
    assert.deepEqual(tail.texts, ['one', 'two'])
  })

  it('reads a deleted file to its end, and the new one of its name', async () => {
    await tail.start()
    tail.append('a.log', 'one\n')
    await tail.rounds()
    tail.append('a.log', 'two\n')
    rmSync(tail.path('a.log'))
    tail.append('a.log', 'three\n')
    await tail.rounds()
    assert.deepEqual([...tail.texts].sort(), ['one', 'three', 'two'])
  })

  it('reads a truncated file from its beginning, also when it is as long again', async () => {
    await tail.start()
    tail.append('a.log', 'one\ntwo\n')
    await tail.rounds()
    truncateSync(tail.path('a.log'), 0)
    tail.append('a.log', 'new\n')
    await tail.rounds()
    truncateSync(tail.path('a.log'), 0)
    tail.append('a.log', 'longer than before\n')
    await tail.rounds()
    await tail.stop()
    truncateSync(tail.path('a.log'), 0)
    tail.append('a.log', 'and longer, while nothing ran\n')
    await tail.start()
    await tail.rounds()
    const after = ['new', 'longer than before', 'and longer, while nothing ran']
    assert.deepEqual(tail.texts, ['one', 'two', ...after])
  })

  it('delivers lines again that the channel refused', async () => {
    await tail.start()
    let refusals = 2
    tail.context.channel.beforePut = () => {
      refusals -= 1
      if (refusals >= 0) throw new ChannelError('MILLRACE_CHANNEL_FULL', 'full')
    }
    tail.append('a.log', 'one\ntwo\n')
    assert.equal(await tail.round(), 'backoff')
    assert.equal(await tail.round(), 'backoff')
    assert.equal(await tail.round(), 'ready')
    assert.deepEqual(tail.texts, ['one', 'two'])
    assert.equal(tail.context.counters.channelWriteFail, 2)
  })

  it('stores positions in the format of Flume, behind what was delivered', async () => {
    const name = `it's <a> & b=c.log`
    tail.append(name, 'one\ntwo\nthr')
    await tail.start()
    await tail.rounds()
    await tail.stop()
    const { ino } = statSync(tail.path(name))
    const file = `${tail.directory}/it\\u0027s \\u003ca\\u003e \\u0026 b\\u003dc.log`
    assert.equal(
      readFileSync(tail.positionFile, 'utf8'),
      `[{"inode":${ino},"pos":8,"file":"${file}"}]`,
    )
  })

  it('stores positions every writePosInterval and only when they have changed', async () => {
    await tail.start()
    tail.append('a.log', 'one\n')
    await tail.rounds()
    await tail.clock.advance(3_000)
    await tail.rounds()
    // Each store makes a new file, whose number differs even where the clock of the disk is coarse.
    const stored = () => statSync(tail.positionFile, { bigint: true })
    const { mtimeNs, ino } = stored()
    await tail.clock.advance(3_000)
    await tail.rounds()
    assert.deepEqual([stored().mtimeNs, stored().ino], [mtimeNs, ino])
    tail.append('a.log', 'two\n')
    await tail.clock.advance(3_000)
    await tail.rounds()
    assert.notDeepEqual([stored().mtimeNs, stored().ino], [mtimeNs, ino])
  })

  it('goes on where Flume stopped', async () => {
    tail.append('a.log', 'one\ntwo\n')
    tail.append('b.log', 'one\n')
    storeAsFlume([
      { name: 'a.log', pos: 4 },
      { name: 'b.log', pos: 4 },
    ])
    await tail.start()
    await tail.rounds()
    assert.deepEqual(tail.texts, ['two'])
  })

  it('reads from the beginning what Flume stored of another or a longer file', async () => {
    tail.append('a.log', 'one\n')
    tail.append('b.log', 'two\n')
    storeAsFlume([
      { name: 'a.log', pos: 2, inode: 1 },
      { name: 'b.log', pos: 5 },
    ])
    await tail.start()
    await tail.rounds()
    assert.deepEqual([...tail.texts].sort(), ['one', 'two'])
  })

  it('takes an empty position file for none and sets a damaged one aside', async () => {
    for (const text of ['', '[{"inode":']) {
      const kept = keptLogger()
      tail = new TailHarness({}, kept.logger)
      mkdirSync(dirname(tail.positionFile), { recursive: true })
      writeFileSync(tail.positionFile, text)
      tail.append('a.log', 'one\n')
      await tail.start()
      await tail.rounds()
      assert.deepEqual(tail.texts, ['one'])
      await tail.stop()
      if (text === '') continue
      assert.equal(readFileSync(`${tail.positionFile}.damaged`, 'utf8'), text)
      assert.match(kept.lines.join(''), /ERROR.*positions\.json cannot be understood/)
    }
  })

  it('keeps inode numbers that no JavaScript number holds', async () => {
    const away = temporaryDirectory()
    mkdirSync(dirname(tail.positionFile), { recursive: true })
    const stored = `[{"inode":18446744073709551557,"pos":7,"file":"${away}/x.log"}]`
    writeFileSync(tail.positionFile, stored)
    await tail.start()
    await tail.rounds()
    await tail.stop()
    assert.equal(readFileSync(tail.positionFile, 'utf8'), stored)
  })

  it('begins at the end of files that are there first, with skipToEnd', async () => {
    tail = new TailHarness({ skipToEnd: 'true' })
    tail.append('a.log', 'old\n')
    await tail.start()
    await tail.rounds()
    tail.append('a.log', 'one\n')
    tail.append('b.log', 'two\n')
    await tail.rounds()
    assert.deepEqual([...tail.texts].sort(), ['one', 'two'])
  })

  it('sends an unfinished line when the file rests for idleTimeout', async () => {
    await tail.start()
    tail.append('a.log', 'unfinished')
    await tail.rounds()
    assert.deepEqual(tail.texts, [])
    await tail.clock.advance(120_000)
    await tail.rounds()
    tail.append('a.log', ' line\n')
    await tail.rounds()
    assert.deepEqual(tail.texts, ['unfinished', ' line'])
  })

  it('adds the headers of the group, of the file and of the offset', async () => {
    tail = new TailHarness({
      'headers.f1.app': 'shop',
      'headers.f1.a.b': 'c',
      fileHeader: 'true',
      fileHeaderKey: 'path',
      byteOffsetHeader: 'true',
    })
    tail.append('a.log', 'one\ntwo\n')
    await tail.start()
    await tail.rounds()
    const path = tail.path('a.log')
    assert.deepEqual(
      tail.context.channel.events.map((event) => event.headers),
      [
        { app: 'shop', 'a.b': 'c', path, byteoffset: '0' },
        { app: 'shop', 'a.b': 'c', path, byteoffset: '4' },
      ],
    )
  })

  it('reads lines of any length, a character across the edge of a buffer among them', async () => {
    const long = `${'x'.repeat(256 * 1_024 - 1)}ü${'y'.repeat(700_000)}`
    await tail.start()
    tail.append('a.log', `one\n${long.slice(0, 300_000)}`)
    await tail.rounds()
    tail.append('a.log', long.slice(300_000, 600_000))
    await tail.rounds()
    tail.append('a.log', `${long.slice(600_000)}\r\ntwo\n`)
    await tail.rounds()
    assert.deepEqual(tail.texts, ['one', long, 'two'])
  })

  it('cuts a line that is longer than maxLineBytes', async () => {
    tail = new TailHarness({ maxLineBytes: '300000' })
    tail.append('a.log', `${'x'.repeat(650_000)}\nend\n`)
    await tail.start()
    await tail.rounds()
    assert.deepEqual(
      tail.texts.map((text) => text.length),
      [300_000, 300_000, 50_000, 3],
    )
  })

  it('reads no compressed file', async () => {
    await tail.start()
    tail.append('a.log', gzipSync('one\ntwo\n'))
    await tail.rounds()
    tail.append('a.log', gzipSync('three\n'))
    await tail.rounds()
    await tail.restart()
    tail.append('a.log', gzipSync('four\n'))
    await tail.rounds()
    assert.deepEqual(tail.texts, [])
  })

  it('doubles after a crash at most what was delivered since positions were stored', async () => {
    await tail.start()
    tail.append('a.log', 'one\n')
    await tail.rounds()
    await tail.clock.advance(3_000)
    await tail.rounds()
    tail.append('a.log', 'two\n')
    await tail.rounds()
    await tail.crash()
    await tail.start()
    await tail.rounds()
    assert.deepEqual(tail.texts, ['one', 'two', 'two'])
  })

  it('waits for a directory that is not there yet', async () => {
    const kept = keptLogger()
    const directory = join(temporaryDirectory(), 'later')
    tail = new TailHarness({ 'filegroups.f1': `${directory}/.*` }, kept.logger)
    await tail.start()
    await tail.rounds()
    assert.match(kept.lines.join(''), /WARN.*later cannot be looked into/)
    mkdirSync(directory)
    writeFileSync(join(directory, 'a'), 'one\n')
    await tail.rounds()
    assert.deepEqual(tail.texts, ['one'])
  })
})
