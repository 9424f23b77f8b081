import assert from 'node:assert/strict'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { ChannelError } from '@millrace/runtime'
import { SpoolHarness, type SpoolSettings } from '../../support/spool-harness.js'

describe('spooldir source', () => {
  let spool: SpoolHarness
  const use = (settings: SpoolSettings) => {
    spool = new SpoolHarness(settings)
  }
  beforeEach(() => use({}))
  afterEach(() => spool.stop())

  it('reads files line by line and marks them as completed, the oldest first', async () => {
    spool.put('b.txt', 'one\ntwo\r\n\nlast', 20)
    spool.put('a.txt', 'three\n', 10)
    await spool.start()
    await spool.rounds()
    assert.deepEqual(spool.texts, ['one', 'two\r', '', 'last', 'three'])
    assert.deepEqual(spool.names, ['.flumespool', 'a.txt.COMPLETED', 'b.txt.COMPLETED'])
    assert.ok(!existsSync(spool.path('.flumespool/.flumespool-main.meta')))
  })

  it('takes the youngest first, or any, if it is told so', async () => {
    for (const consumeOrder of ['youngest', 'RANDOM']) {
      use({ source: { consumeOrder } })
      spool.put('a.txt', 'old\n', 20)
      spool.put('b.txt', 'young\n', 10)
      await spool.start()
      await spool.rounds()
      if (consumeOrder === 'youngest') assert.deepEqual(spool.texts, ['young', 'old'])
      assert.equal(spool.texts.length, 2)
      await spool.stop()
    }
  })

  it('makes one event without a body of an empty file', async () => {
    spool.put('a.txt', '')
    await spool.start()
    await spool.rounds()
    assert.deepEqual(spool.texts, [''])
  })

  it('puts a batch again that was refused, and reads nothing twice after a stop', async () => {
    use({ source: { batchSize: '2' } })
    spool.put('a.txt', '1\n2\n3\n4\n5\n')
    await spool.start()
    assert.equal(await spool.round(), 'ready')
    spool.context.channel.beforePut = () => {
      throw new ChannelError('MILLRACE_CHANNEL_FULL', 'full')
    }
    assert.equal(await spool.round(), 'backoff')
    assert.equal(await spool.round(), 'backoff')
    assert.equal(spool.context.counters.channelWriteFail, 2)
    await spool.stop()
    spool.context.channel.beforePut = () => {}
    await spool.start()
    await spool.rounds()
    assert.deepEqual(spool.texts, ['1', '2', '3', '4', '5'])
  })

  it('goes on with the file that it had begun, whatever the order', async () => {
    use({ source: { batchSize: '1', consumeOrder: 'youngest' } })
    spool.put('a.txt', '1\n2\n3\n', 20)
    await spool.start()
    await spool.round()
    await spool.stop()
    spool.put('b.txt', 'b\n', 10)
    await spool.start()
    await spool.rounds()
    assert.deepEqual(spool.texts, ['1', '2', '3', 'b'])
  })

  /** The octets of a tracker file as Flume writes them, with one record for each offset. */
  function flumeTracker(file: string, offsets: readonly number[]): Buffer {
    const schema =
      '{"type":"record","name":"TransferStateFileMeta","namespace":"org.apache.flume.serialization","fields":[{"name":"offset","type":"long"}]}'
    const text = (value: string) => {
      const bytes = Buffer.from(value)
      return Buffer.concat([varint(bytes.length), bytes])
    }
    const varint = (value: number) => {
      const out: number[] = []
      let rest = value * 2
      for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest & 127) | 128)
      return Buffer.from([...out, rest])
    }
    const sync = Buffer.alloc(16, 7)
    const head = [Buffer.from('Obj\u0001'), varint(2), text('avro.schema'), text(schema)]
    const blocks = offsets.map((offset) =>
      Buffer.concat([varint(1), varint(varint(offset).length), varint(offset), sync]),
    )
    return Buffer.concat([...head, text('file'), text(file), varint(0), sync, ...blocks])
  }

  it('goes on where Flume stopped, and Flume finds what it needs', async () => {
    use({ source: { batchSize: '1' } })
    spool.put('a.txt', '1\n2\n3\n')
    mkdirSync(spool.path('.flumespool'))
    const tracker = spool.path('.flumespool/.flumespool-main.meta')
    writeFileSync(tracker, flumeTracker(spool.path('a.txt'), [0, 2]))
    await spool.start()
    await spool.round()
    assert.deepEqual(spool.texts, ['2'])
    await spool.stop()
    const expected = flumeTracker(spool.path('a.txt'), [2, 4])
    const written = readFileSync(tracker)
    // Only the random markers differ.
    const markers = [expected.length - 16, expected.length - 36, expected.length - 55]
    assert.equal(written.length, expected.length)
    const plain = (bytes: Buffer) =>
      bytes.map((byte, i) => (markers.some((at) => i >= at && i < at + 16) ? 0 : byte))
    assert.equal(
      plain(written).subarray(0, -70).toString(),
      plain(expected).subarray(0, -70).toString(),
    )
  })

  it('takes a tracker file that is torn or of another file for none', async () => {
    spool.put('a.txt', '1\n')
    mkdirSync(spool.path('.flumespool'))
    const tracker = spool.path('.flumespool/.flumespool-main.meta')
    writeFileSync(tracker, flumeTracker('/elsewhere/b.txt', [2]).subarray(0, -5))
    await spool.start()
    await spool.rounds()
    assert.deepEqual(spool.texts, ['1'])
  })

  it('sets a file aside that changed while it was read, and goes on', async () => {
    use({ source: { batchSize: '1' } })
    spool.put('a.txt', '1\n2\n', 20)
    spool.put('b.txt', '3\n', 10)
    await spool.start()
    await spool.round()
    appendFileSync(spool.path('a.txt'), 'more\n')
    await spool.rounds()
    assert.deepEqual(spool.texts, ['1', '2', '3'])
    assert.deepEqual(spool.names, ['.flumespool', 'a.txt.SET_ASIDE', 'b.txt.COMPLETED'])
    assert.match(spool.log.lines.join(''), /ERROR.*a\.txt is set aside.*changed while it was read/)
    assert.equal(spool.context.counters.eventReadFail, 1)
  })

  it('sets a file aside whose name was used before, when it is read, and goes on', async () => {
    spool.put('a.txt.COMPLETED', 'before\n')
    spool.put('a.txt', '1\n', 20)
    spool.put('b.txt', '2\n', 10)
    await spool.start()
    await spool.rounds()
    assert.deepEqual(spool.texts, ['1', '2'])
    assert.equal(readFileSync(spool.path('a.txt.COMPLETED'), 'utf8'), 'before\n')
    assert.ok(existsSync(spool.path('a.txt.SET_ASIDE')))
  })

  it('sets a file aside whose bytes are no text, and goes on', async () => {
    spool.put('a.txt', Buffer.from('one\ntw\xffo\nthree\n', 'latin1'), 20)
    spool.put('b.txt', 'four\n', 10)
    await spool.start()
    await spool.rounds()
    assert.deepEqual(spool.texts, ['one', 'four'])
    assert.ok(existsSync(spool.path('a.txt.SET_ASIDE')))
  })

  it('deletes what was read with deletePolicy = immediate', async () => {
    use({ source: { deletePolicy: 'immediate' } })
    spool.put('a.txt', '1\n')
    await spool.start()
    await spool.rounds()
    assert.deepEqual(spool.names, ['.flumespool'])
  })

  it('leaves files alone with trackingPolicy = tracker_dir, also over a restart', async () => {
    use({ source: { trackingPolicy: 'tracker_dir', recursiveDirectorySearch: 'true' } })
    mkdirSync(spool.path('sub'))
    spool.put('sub/a.txt', '1\n')
    for (let i = 0; i < 2; i += 1) {
      await spool.start()
      await spool.rounds()
      await spool.stop()
    }
    assert.deepEqual(spool.texts, ['1'])
    assert.ok(existsSync(spool.path('sub/a.txt')))
    assert.ok(existsSync(spool.path('.flumespool/sub/a.txt.COMPLETED')))
  })

  it('reads what the patterns want, and directories below only if it is told so', async () => {
    for (const recursive of [true, false]) {
      use({
        source: {
          includePattern: '.*\\.txt',
          ignorePattern: 'bad.*',
          recursiveDirectorySearch: String(recursive),
        },
      })
      mkdirSync(spool.path('sub'))
      mkdirSync(spool.path('bad-sub'))
      for (const name of ['a.txt', 'b.log', 'bad.txt', '.a.txt', 'sub/c.txt', 'bad-sub/d.txt']) {
        spool.put(name, `${name}\n`)
      }
      await spool.start()
      await spool.rounds()
      assert.deepEqual([...spool.texts].sort(), recursive ? ['a.txt', 'sub/c.txt'] : ['a.txt'])
      await spool.stop()
    }
  })

  it('adds headers with the path and the name of the file', async () => {
    use({ source: { fileHeader: 'true', basenameHeader: 'true', basenameHeaderKey: 'name' } })
    spool.put('a.txt', '1\n')
    await spool.start()
    await spool.rounds()
    const [event] = spool.context.channel.events
    assert.deepEqual(event?.headers, { file: spool.path('a.txt'), name: 'a.txt' })
  })

  it('cuts lines at bufferMaxLineLength, which goes before the key of the deserializer', async () => {
    use({ source: { bufferMaxLineLength: '3' } })
    spool.put('a.txt', 'abcdefg\n')
    await spool.start()
    await spool.rounds()
    assert.deepEqual(spool.texts, ['abc', 'def', 'g'])
  })

  it('does not start without its directory', async () => {
    rmSync(spool.directory, { recursive: true })
    await assert.rejects(spool.start(), { code: 'MILLRACE_LIFECYCLE_START_FAILED' })
    mkdirSync(dirname(spool.directory), { recursive: true })
  })
})
