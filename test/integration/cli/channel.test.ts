import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { mockReceiver } from '@millrace/testkit/receiver'
import avsc from 'avsc'
import { acknowledge, ChannelFiles, linesOf, runJson } from '../../support/channel-files.js'
import { inTwos, runHere, runMillrace } from '../../support/command.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

const run = (what: string, files: ChannelFiles, ...words: string[]) =>
  runMillrace(['channel', what, ...files.words, ...words])

interface Listing {
  owner: string | null
  wasClosed: boolean
  nextSequence: number
  consumers: {
    name: string
    sequence: number
    backlogEvents: number
    backlogBytes: number
    oldestAgeMs: number
  }[]
  segments: { id: number; state: string; firstSequence: number; nextSequence: number }[]
  findings: { kind: string }[]
}

interface Verification {
  isSound: boolean
  events: number
  damages: number
  lostEvents: number
  findings: { kind: string; path: string; message: string }[]
}

interface Repair {
  isApplied: boolean
  actions: { kind: string; path: string; copy?: string; failure?: string }[]
  after?: Verification
}

/** a, b, c / d, e / f: three batches. */
async function sixEvents(files = new ChannelFiles()): Promise<ChannelFiles> {
  await files.put(['a', 'b', 'c'], ['d', 'e'], ['f-body'])
  return files
}

describe('millrace channel ls', () => {
  it('shows segments, consumers, backlog in events and bytes, and its age', async () => {
    const files = await sixEvents()
    const log = await files.open()
    await acknowledge(log.consumer('sinks'), 2)
    await log.close()
    const { code, answer } = await runJson<Listing>(['channel', 'ls', ...files.words])
    assert.deepEqual(
      [code, answer.owner, answer.wasClosed, answer.nextSequence],
      [0, null, true, 7],
    )
    const [consumer] = answer.consumers
    assert.ok(consumer)
    assert.deepEqual([consumer.name, consumer.sequence, consumer.backlogEvents], ['sinks', 3, 4])
    assert.ok(consumer.backlogBytes > 100 && consumer.oldestAgeMs < 60_000)
    assert.deepEqual(
      answer.segments.map(({ firstSequence, id, nextSequence, state }) => [
        id,
        state,
        firstSequence,
        nextSequence,
      ]),
      [[1, 'active', 1, 7]],
    )
    const { stdout } = await run('ls', files)
    assert.match(stdout, /^Channel in .*: closed$/m)
    assert.match(stdout, /^sinks +4 +\d+ B +\d+ s$/m)
    assert.match(stdout, /^ +1 +active +6 +1–6 +\d+ B +20\d\d-\S+Z +\//m)
  })

  it('shows a channel in use, and who has it', async () => {
    const files = await sixEvents()
    const log = await files.open()
    const { code, answer } = await runJson<Listing>(['channel', 'ls', ...files.words])
    await log.close()
    assert.deepEqual(
      [code, answer.owner, answer.consumers[0]?.backlogEvents],
      [0, `${process.pid}`, 6],
    )
  })

  it('finds a channel of an agent by its file', async () => {
    const files = await sixEvents()
    const file = join(files.directory, 'agent.properties')
    const lines = ['a1.channels = c1 m', 'a1.sinks = k1', 'a1.sinks.k1.type = null']
    lines.push('a1.sinks.k1.channel = c1', 'a1.channels.m.type = memory', ...files.lines)
    writeFileSync(file, lines.join('\n'))
    const found = await runMillrace(['channel', 'ls', '-n', 'a1', '-f', file, '-c', 'c1'])
    assert.equal(found.code, 0, found.stderr)
    assert.match(found.stdout, /^Channel c1 of agent a1: closed$/m)
    const cases: [words: string[], error: RegExp][] = [
      [['-n', 'a1', '-f', file, '-c', 'c2'], /no channel “c2”; did you mean “c1”\?/],
      [['-n', 'a1', '-f', file, '-c', 'm'], /is of type memory: it has no files/],
      [['-n', 'a1', '-f', file], /--channel is missing/],
      [['-n', 'a1'], /say which channel/],
      [['--checkpoint-dir', '/x'], /needed together/],
      [[...files.words, '-c', 'c1'], /exclude/],
    ]
    await inTwos(cases, async ([words, error]) => {
      const { code, stderr, stdout } = await runHere(['channel', 'ls', ...words])
      assert.deepEqual([code, stdout, linesOf(stderr).length], [2, '', 1], stderr)
      assert.match(stderr, error)
    })
  })

  it('says what is no channel, and makes none', async () => {
    const files = new ChannelFiles()
    const none = await run('ls', files)
    assert.deepEqual([none.code, existsSync(files.checkpointDirectory)], [2, false])
    assert.match(none.stderr, /There is no log in/)
    mkdirSync(files.checkpointDirectory)
    mkdirSync(files.dataDirectories[0] ?? '')
    writeFileSync(join(files.dataDirectories[0] ?? '', 'log-1'), 'x')
    await inTwos(['ls', 'verify', 'repair'], async (what) => {
      const flume = await runHere(['channel', what, ...files.words])
      assert.equal(flume.code, 2)
      assert.match(
        flume.stderr,
        /holds a file channel of Apache Flume \(log-1\).*Drain it with Flume/,
      )
    })
  })

  it('refuses unknown words in one line', async () => {
    const { code, stderr } = await runMillrace(['channel', 'verifi'])
    assert.equal(code, 2)
    assert.match(stderr, /there is no “verifi”; did you mean “verify”\?/)
    const help = await runMillrace(['channel', '--help'])
    assert.equal(help.code, 0)
    for (const name of ['ls', 'verify', 'repair', 'export'])
      assert.match(help.stdout, new RegExp(`^ {2}${name} `, 'm'))
  })
})

describe('millrace channel verify', () => {
  it('reads everything and changes nothing, also while the channel is in use', async () => {
    const files = await sixEvents()
    const before = files.state()
    const { code, answer } = await runJson<Verification>(['channel', 'verify', ...files.words])
    assert.deepEqual([code, answer.isSound, answer.events, answer.findings], [0, true, 6, []])
    assert.equal(files.state(), before)
    const log = await files.open()
    const live = await run('verify', files)
    await log.close()
    assert.equal(live.code, 0, live.stdout)
    assert.match(live.stdout, /: sound; 6 events/)
  })

  it('counts damage exactly, with exit code 1', async () => {
    const files = await sixEvents()
    files.damage('f-body')
    const { code, answer } = await runJson<Verification>(['channel', 'verify', ...files.words])
    assert.deepEqual([code, answer.damages, answer.lostEvents, answer.events], [1, 1, 1, 5])
    assert.deepEqual(
      answer.findings.map(({ kind }) => kind),
      ['damage', 'missing'],
    )
    const { stdout } = await run('verify', files)
    assert.match(stdout, /NOT sound: 1 damaged place, 1 event lost/)
  })
})

describe('millrace channel repair', () => {
  it('does nothing without --apply; with it keeps a copy, and the rest is delivered', async () => {
    const files = await sixEvents()
    files.damage('f-body')
    const before = files.state()
    const dry = await run('repair', files)
    assert.equal(dry.code, 1)
    assert.match(dry.stdout, /^to do {2}damage .*Nothing was changed/ms)
    assert.equal(files.state(), before)
    const { code, answer } = await runJson<Repair>(['channel', 'repair', ...files.words, '--apply'])
    assert.deepEqual([code, answer.isApplied, answer.after?.isSound], [0, true, true])
    const copy = answer.actions.find(({ kind }) => kind === 'damage')?.copy
    assert.ok(copy && readFileSync(copy).includes('-body'), copy)
    assert.equal((await runHere(['channel', 'verify', ...files.words])).code, 0)
    assert.equal((await runHere(['channel', 'repair', ...files.words])).code, 0)
    assert.deepEqual(await files.waiting(), ['a', 'b', 'c', 'd', 'e'])
    const log = await files.open()
    assert.equal(log.consumer('sinks').backlog.events, 5)
    await log.close()
  })

  it('refuses a channel in use', async () => {
    const files = await sixEvents()
    files.damage('f-body')
    const log = await files.open()
    for (const words of [[], ['--apply']]) {
      const { code, stderr } = await runHere(['channel', 'repair', ...files.words, ...words])
      assert.equal(code, 2)
      assert.match(stderr, new RegExp(`in use by process ${process.pid}`))
    }
    await log.close()
  })

  it('accepts the loss of a data directory, which opening does not', async () => {
    const files = new ChannelFiles('c1', temporaryDirectory(), 2)
    const batches = Array.from({ length: 300 }, (_, i) => [`${i} ${'.'.repeat(1_000)}`])
    await files.put(...batches)
    rmSync(files.dataDirectories[1] ?? '', { recursive: true })
    const verified = await runJson<Verification>(['channel', 'verify', ...files.words])
    assert.deepEqual([verified.code, verified.answer.isSound], [1, false])
    await assert.rejects(files.open(), /is not among/)
    const { code, answer } = await runJson<Repair>(['channel', 'repair', ...files.words, '--apply'])
    assert.equal(code, 0, JSON.stringify(answer))
    const copy = answer.actions.find(({ kind }) => kind === 'lost-directory')?.copy
    assert.ok(copy && existsSync(copy))
    const waiting = await files.waiting()
    assert.equal(waiting.length, 300 - verified.answer.lostEvents)
    assert.ok(waiting.length > 50 && waiting.length < 250, String(waiting.length))
    const log = await files.open()
    assert.equal(log.consumer('sinks').backlog.events, waiting.length)
    await log.close()
  })

  it('sets a second file with the same segment aside, and makes a lost checkpoint anew', async () => {
    const files = await sixEvents()
    const [segment = ''] = files.segments()
    const second = join(dirname(segment), 'segment-0000000077.wal')
    copyFileSync(segment, second)
    rmSync(join(files.checkpointDirectory, 'cursors.wal'))
    const { code, answer } = await runJson<Repair>(['channel', 'repair', ...files.words, '--apply'])
    assert.equal(code, 0, JSON.stringify(answer))
    assert.deepEqual(answer.actions.map(({ kind }) => kind).toSorted(), ['made-anew', 'set-aside'])
    assert.ok(!existsSync(second))
    assert.deepEqual(readdirSync(join(dirname(segment), 'quarantine')), [basename(second)])
    assert.deepEqual(await files.waiting(), ['a', 'b', 'c', 'd', 'e', 'f-body'])
  })
})

describe('millrace channel export', () => {
  it('writes what waits as NDJSON, in part by sequence or time, also from a channel in use', async () => {
    const files = await sixEvents()
    const log = await files.open()
    await acknowledge(log.consumer('sinks'), 2)
    const bodies = async (...words: string[]) => {
      const { code, stdout, stderr } = await run(
        'export',
        files,
        '--format',
        'ndjson',
        '--out',
        '-',
        ...words,
      )
      assert.equal(code, 0, stderr)
      return linesOf(stdout).map((line) => JSON.parse(line).body)
    }
    const soon = new Date(Date.now() + 60_000).toISOString()
    const cases: [words: string[], bodies: string[]][] = [
      [['--all'], ['a', 'b', 'c', 'd', 'e', 'f-body']],
      [
        ['--from-sequence', '4'],
        ['d', 'e', 'f-body'],
      ],
      [
        ['--from-sequence', '2', '--to-sequence', '5', '--all'],
        ['b', 'c', 'd'],
      ],
      [['--since', '1h', '--until', soon, '--from-sequence', '6'], ['f-body']],
      [['--since', soon], []],
    ]
    await inTwos(cases, async ([words, expected]) =>
      assert.deepEqual(await bodies(...words), expected),
    )
    await log.close()
    assert.deepEqual(await bodies('--consumer', 'sinks'), ['c', 'd', 'e', 'f-body'])
  })

  it('writes an Avro container file with Flume’s schema', async () => {
    const files = await sixEvents()
    const out = join(files.directory, 'events.avro')
    const { code, stdout } = await run('export', files, '--format', 'avro', '--out', out)
    assert.deepEqual([code, stdout], [0, `6 events exported to ${out}\n`])
    const events: { headers: object; body: Buffer }[] = []
    const decoder = avsc.createFileDecoder(out)
    const names: string[] = []
    decoder.on('metadata', (type: { name?: string }) => names.push(String(type.name)))
    for await (const event of decoder) events.push(event as { headers: object; body: Buffer })
    assert.deepEqual(names, ['Event'])
    assert.deepEqual(
      events.map(({ body }) => body.toString()),
      ['a', 'b', 'c', 'd', 'e', 'f-body'],
    )
    const again = await run('export', files, '--format', 'avro', '--out', out)
    assert.equal(again.code, 2)
    assert.match(again.stderr, /is there already/)
    assert.ok(!existsSync(`${out}.tmp`))
  })

  it('sends what waits to an avro source, and says how much came when that ends', async () => {
    const files = await sixEvents()
    const receiver = await mockReceiver()
    const to = `avro://127.0.0.1:${receiver.port}`
    const { code, stdout } = await run('export', files, '--to', to)
    assert.deepEqual([code, stdout], [0, `6 events exported to ${to}\n`])
    assert.deepEqual(
      receiver.events.map(({ text }) => text),
      ['a', 'b', 'c', 'd', 'e', 'f-body'],
    )
    receiver.failNext(1)
    const refused = await run('export', files, '--to', to)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /0 events came before/)
    await receiver.close()
    assert.equal((await run('export', files, '--to', to)).code, 1)
    assert.deepEqual((await files.waiting()).length, 6)
  })

  it('leaves damaged events out and says so, with exit code 1', async () => {
    const files = await sixEvents()
    files.damage('f-body')
    const { code, stderr } = await run('export', files, '--format', 'ndjson', '--out', '-')
    assert.equal(code, 1)
    assert.match(stderr, /missing there: 1 damaged event$/m)
  })

  it('refuses words that do not fit', async () => {
    const files = await sixEvents()
    const cases: [words: string[], error: RegExp][] = [
      [[], /say where to/],
      [['--out', '/x'], /--format is missing/],
      [['--format', 'xml', '--out', '/x'], /none of avro, ndjson/],
      [['--format', 'avro', '--out', '-'], /needs a file/],
      [['--to', 'localhost:1'], /not avro:\/\/host:port/],
      [['--to', 'avro://h:1', '--format', 'avro'], /--format belongs to --out/],
      [['--format', 'ndjson', '--out', '-', '--consumer', 'x'], /no consumer “x”; there are sinks/],
      [['--format', 'ndjson', '--out', '-', '--since', 'soon'], /--since is neither/],
    ]
    await inTwos(cases, async ([words, error]) => {
      const { code, stderr } = await runHere(['channel', 'export', ...files.words, ...words])
      assert.equal(code, 2, stderr)
      assert.match(stderr, error)
    })
  })
})
