import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EventBatch } from '@millrace/event'
import { AvroRpcClient } from '@millrace/rpc'
import { mockReceiver } from '@millrace/testkit/receiver'
import { AgentProcess } from '../../support/agent-process.js'
import { ChannelFiles, linesOf, runJson } from '../../support/channel-files.js'
import { runHere, runMillrace } from '../../support/command.js'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { until } from '../../support/until.js'

const AT = Date.parse('2026-11-24T08:00:00Z')

/** Events that sinks rejected; the agent has no sink of the last one's name. */
const LETTERS = [
  { body: 'one', sink: 'k1', reason: 'no field "id"' },
  { body: 'two', sink: 'k1', reason: 'too long' },
  { body: 'three', sink: 'k2', reason: 'too long' },
  { body: 'four', sink: 'gone', reason: 'too long' },
]

interface Fixture {
  readonly dead: ChannelFiles
  readonly targets: readonly [ChannelFiles, ChannelFiles]
  readonly file: string
  /** The words that name the agent and its dead-letter channel. */
  readonly words: readonly string[]
}

/** An agent with the sinks k1 (on c1) and k2 (on c2), and four dead letters. */
async function fixture(): Promise<Fixture> {
  const directory = temporaryDirectory()
  const dead = new ChannelFiles('dead', directory)
  const targets = [new ChannelFiles('c1', directory), new ChannelFiles('c2', directory)] as const
  const file = join(directory, 'agent.properties')
  writeFileSync(
    file,
    [
      'a1.channels = c1 c2 dead',
      'a1.sinks = k1 k2',
      'a1.deadLetterChannel = dead',
      'a1.sinks.k1.type = null',
      'a1.sinks.k1.channel = c1',
      'a1.sinks.k2.type = null',
      'a1.sinks.k2.channel = c2',
      ...[dead, ...targets].flatMap(({ lines }) => lines),
    ].join('\n'),
  )
  const log = await dead.open()
  await log.append(
    EventBatch.of(
      LETTERS.map(({ body, reason, sink }, i) => ({
        headers: {
          host: 'web-1',
          'millrace.rejected.reason': reason,
          'millrace.rejected.sink': sink,
          'millrace.rejected.at': String(AT + i * 60_000),
        },
        body,
      })),
    ),
  )
  await log.close()
  return { dead, targets, file, words: ['-n', 'a1', '-f', file] }
}

interface Listed {
  total: number
  bySink: Record<string, number>
  letters: {
    sequence: number
    body: string
    rejected: { sink: string; reason: string; at: string }
  }[]
}

describe('millrace dlq list and show', () => {
  it('show what was rejected, by which sink, why and when, also while the channel is in use', async () => {
    const { dead, words } = await fixture()
    const log = await dead.open()
    const { code, answer } = await runJson<Listed>(['dlq', 'list', ...words, '-c', 'dead'])
    assert.deepEqual([code, answer.total, answer.bySink], [0, 4, { k1: 2, k2: 1, gone: 1 }])
    assert.deepEqual(answer.letters[0]?.rejected, {
      sink: 'k1',
      reason: 'no field "id"',
      at: '2026-11-24T08:00:00.000Z',
    })
    const { stdout } = await runMillrace(['dlq', 'list', ...words, '--limit', '1'])
    assert.match(stdout, /^ +1 +2026-11-24T08:00:00.000Z +k1 +no field "id" +one$/m)
    assert.match(stdout, /4 dead letters \(3 more are not shown; --limit\); k1: 2, k2: 1, gone: 1/)
    const shown = await runHere(['dlq', 'show', ...words, '2'])
    assert.equal(shown.code, 0)
    assert.match(
      shown.stdout,
      /^sequence 2,.*\n {2}host: web-1\n.*reason: too long\n.*^body\ntwo$/ms,
    )
    assert.equal((await runHere(['dlq', 'show', ...words, '9'])).code, 1)
    await log.close()
  })

  it('filter by sink, reason, sequence and time', async () => {
    const { dead } = await fixture()
    const cases: [words: string[], bodies: string[]][] = [
      [
        ['--sink', 'k1'],
        ['one', 'two'],
      ],
      [['--reason', 'long', '--sink', 'k1'], ['two']],
      [
        ['--from-sequence', '2', '--to-sequence', '4'],
        ['two', 'three'],
      ],
      [
        ['--since', '2026-11-24T08:01Z', '--until', '2026-11-24T08:03Z'],
        ['two', 'three'],
      ],
    ]
    for (const [words, bodies] of cases) {
      const { stdout } = await runHere(['dlq', 'list', ...dead.words, '--json', ...words])
      const { letters } = JSON.parse(stdout) as Listed
      assert.deepEqual(
        letters.map(({ body }) => body),
        bodies,
      )
    }
  })
})

describe('millrace dlq retry', () => {
  it('puts events back into the channel of their sink, as they were, and keeps those of no sink', async () => {
    const { dead, targets, words } = await fixture()
    const { code, answer } = await runJson<{
      retried: number
      byTarget: object
      keptBySink: object
    }>(['dlq', 'retry', ...words])
    assert.deepEqual(
      [code, answer.retried, answer.byTarget, answer.keptBySink],
      [1, 3, { c1: 2, c2: 1 }, { gone: 1 }],
    )
    assert.deepEqual(await dead.waiting(), ['four'])
    assert.deepEqual(await targets[0].waiting(), ['one', 'two'])
    assert.deepEqual(await targets[1].waiting(), ['three'])
    const log = await targets[0].open()
    const [read] = await log.consumer('sinks').read({ maxBytes: 1 })
    assert.deepEqual({ ...read?.batch.headersAt(0) }, { host: 'web-1' })
    await log.close()
  })

  it('puts back only what is asked for', async () => {
    const { dead, targets, words } = await fixture()
    const { code, stdout } = await runHere(['dlq', 'retry', ...words, '--sink', 'k2'])
    assert.deepEqual([code, stdout], [0, '1 dead letter retried (c2: 1)\n'])
    assert.deepEqual(await targets[1].waiting(), ['three'])
    assert.deepEqual(await dead.waiting(), ['one', 'two', 'four'])
  })

  it('keeps what a full channel does not take', async () => {
    const { dead, file, targets, words } = await fixture()
    const small = ['channels.c2.capacity', 'channels.c2.transactionCapacity', 'sinks.k2.batchSize']
    appendFileSync(file, small.map((key) => `\na1.${key} = 1`).join(''))
    await targets[1].put(['there'])
    const { code, stderr, stdout } = await runHere(['dlq', 'retry', ...words])
    assert.deepEqual([code, stdout], [1, '2 dead letters retried (c1: 2)\n'])
    assert.match(stderr, /c2: .*No room .*; the others stay/)
    assert.deepEqual(await dead.waiting(), ['three', 'four'])
  })

  it('sends them to an avro source; what is refused there stays', async () => {
    const { dead } = await fixture()
    const receiver = await mockReceiver()
    const to = `avro://127.0.0.1:${receiver.port}`
    receiver.failNext(1)
    const refused = await runHere(['dlq', 'retry', ...dead.words, '--to', to])
    assert.equal(refused.code, 1)
    assert.equal((await dead.waiting()).length, 4)
    const { code, stdout } = await runMillrace(['dlq', 'retry', ...dead.words, '--to', to])
    assert.deepEqual([code, stdout], [0, `4 dead letters retried (${to}: 4)\n`])
    assert.deepEqual(
      receiver.events.map(({ text }) => text),
      ['one', 'two', 'three', 'four'],
    )
    assert.deepEqual(receiver.events[0]?.headers, { host: 'web-1' })
    await receiver.close()
    assert.deepEqual(await dead.waiting(), [])
  })

  it('refuses a channel in use, its own and a target, and loses nothing', async () => {
    const { dead, targets, words } = await fixture()
    for (const files of [dead, targets[0]]) {
      const log = await files.open()
      const { code, stderr } = await runHere(['dlq', 'retry', ...words])
      await log.close()
      assert.equal(code, 2, stderr)
      assert.match(stderr, new RegExp(`in use by process ${process.pid}`))
    }
    assert.equal((await dead.waiting()).length, 4)
    assert.deepEqual(await targets[0].waiting(), [])
    const { code, stderr } = await runHere(['dlq', 'retry', ...dead.words])
    assert.equal(code, 2)
    assert.match(stderr, /use -n and -f, or --to/)
  })
})

describe('millrace dlq purge', () => {
  it('asks for --yes or a filter, and removes for good', async () => {
    const { dead, words } = await fixture()
    const refused = await runHere(['dlq', 'purge', ...words])
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /say --yes, or which ones/)
    const filtered = await runHere(['dlq', 'purge', ...words, '--reason', 'long'])
    assert.deepEqual([filtered.code, linesOf(filtered.stdout).length], [0, 1])
    assert.match(filtered.stdout, /3 dead letters removed/)
    assert.deepEqual(await dead.waiting(), ['one'])
    assert.equal((await runHere(['dlq', 'purge', ...words, '--yes'])).code, 0)
    assert.deepEqual(await dead.waiting(), [])
    assert.match((await runHere(['dlq', 'list', ...words])).stdout, /no dead letters/)
  })
})

describe('an event that no sink rejected', () => {
  it('is no dead letter and stays, whatever is purged, retried or listed', async () => {
    const { dead } = await fixture()
    await dead.put(['of an application'])
    const receiver = await mockReceiver()
    const to = `avro://127.0.0.1:${receiver.port}`
    const listed = await runJson<Listed>(['dlq', 'list', ...dead.words])
    assert.equal(listed.answer.total, 4)
    const retried = await runHere(['dlq', 'retry', ...dead.words, '--sink', 'k2', '--to', to])
    assert.equal(retried.code, 0)
    const purged = await runHere(['dlq', 'purge', ...dead.words, '--yes'])
    assert.match(purged.stdout, /3 dead letters removed/)
    assert.deepEqual(await dead.waiting(), ['of an application'])
    await receiver.close()
  })

  it('is not looked for in a channel that is the deadLetterChannel of no sink', async () => {
    const { targets, words } = await fixture()
    await targets[0].put(['of an application'])
    for (const command of ['list', 'retry']) {
      const { code, stderr } = await runHere(['dlq', command, ...words, '-c', 'c1'])
      assert.deepEqual([code, /c1 is the deadLetterChannel of no sink/.test(stderr)], [2, true])
    }
    const { code } = await runHere(['dlq', 'purge', ...words, '-c', 'c1', '--yes'])
    assert.equal(code, 2)
    assert.deepEqual(await targets[0].waiting(), ['of an application'])
  })
})

describe('dead letters of a real agent', () => {
  it('survive its SIGKILL, and arrive after a retry', async () => {
    const directory = temporaryDirectory()
    const files = [new ChannelFiles('c1', directory), new ChannelFiles('dead', directory)]
    const out = join(directory, 'arrived')
    const settingsOf = (rejects: string) => {
      const sink = join(directory, `sink-${rejects}.mjs`)
      writeFileSync(sink, sinkModule(out, rejects))
      const lines = files.flatMap((each) => each.lines)
      return {
        ...Object.fromEntries(lines.map((line) => line.slice('a1.'.length).split(' = '))),
        channels: 'c1 dead',
        deadLetterChannel: 'dead',
        'sinks.k1.type': sink,
        'sinks.k1.sink.directory': '',
        'sinks.k1.sink.rollInterval': '',
        'sinks.k1.sink.batchSize': '',
      }
    }
    const agent = await AgentProcess.start({ directory, settings: settingsOf('[13579]$') })
    const client = new AvroRpcClient({ host: '127.0.0.1', port: agent.port })
    await client.connect()
    const bodies = Array.from({ length: 20 }, (_, i) => String(i))
    await client.appendBatch(EventBatch.of(bodies.map((body) => ({ body }))))
    await client.close()
    const letters = async () => (await agent.metrics())['SINK.k1']?.['EventDeadLetterCount']
    await until(async () => (await letters()) === '10', { what: 'ten dead letters' })
    await agent.kill()
    const words = ['-n', 'a1', '-f', agent.file]
    const { answer } = await runJson<Listed>(['dlq', 'list', ...words])
    assert.deepEqual([answer.total, answer.bySink], [10, { k1: 10 }])
    assert.equal(answer.letters[0]?.rejected.reason, 'it is odd')
    agent.write(settingsOf('never'))
    assert.equal((await runMillrace(['dlq', 'retry', ...words])).code, 0)
    const again = await AgentProcess.start({ directory, settings: settingsOf('never') })
    await until(() => new Set(linesOf(readFileSync(out, 'utf8'))).size === 20, {
      what: 'all events',
    })
    await again.stop()
    const last = await runJson<Listed>(['dlq', 'list', ...words])
    assert.equal(last.answer.total, 0)
  })
})

/** A sink that writes bodies to a file, and rejects those that match. */
const sinkModule = (out: string, rejects: string) => `
import { appendFileSync } from 'node:fs'
const create = () => ({
  batchSize: 100,
  async write(batch) {
    const rejected = []
    for (let index = 0; index < batch.size; index += 1) {
      const body = batch.bodyAt(index).toString()
      if (/${rejects}/.test(body)) rejected.push({ index, reason: 'it is odd' })
      else appendFileSync(${JSON.stringify(out)}, body + '\\n')
    }
    return { rejected }
  },
})
export default { kind: 'sink', alias: null, classNames: [], summary: 'A sink.', options: {}, create }
`
