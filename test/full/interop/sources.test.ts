import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { readTracker } from '@millrace/agent-core/internal/sources/spooldir/position-tracker'
import { startMillrace } from '../../support/command.js'
import { freePort } from '../../support/free-port.js'
import { flumeClassPath } from '../../support/interop/class-path.js'
import { type StoredEvent, StoredEvents } from '../../support/interop/stored-events.js'
import { leaveLines } from '../../support/syslog-peer.js'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { until } from '../../support/until.js'

type Runner = 'Flume' | 'Millrace'
const RUNNERS: readonly Runner[] = ['Flume', 'Millrace']

/** An agent's configuration, which either of the two can run, and what each of them stores. */
class Bench {
  readonly directory = temporaryDirectory()
  readonly #stored = new Map<Runner, StoredEvents>()
  readonly #sources: string

  constructor(sources: (directory: string) => string) {
    this.#sources = sources(this.directory)
    for (const runner of RUNNERS) {
      mkdirSync(join(this.directory, runner))
      this.#stored.set(runner, new StoredEvents(join(this.directory, runner)))
    }
  }

  stored(runner: Runner): readonly StoredEvent[] {
    return this.#stored.get(runner)?.read() ?? []
  }

  async storedAtLeast(runner: Runner, count: number): Promise<readonly string[]> {
    await until(() => this.stored(runner).length >= count, {
      timeoutMs: 60_000,
      what: () => `${count} events of ${runner}, it has ${this.stored(runner).length}`,
    })
    return this.stored(runner).map(({ body }) => body.toString())
  }

  /** @param channel lines in place of a sink, to keep events in a channel. */
  async run(runner: Runner, work: () => Promise<void>, channel?: string): Promise<void> {
    const file = join(this.directory, `${runner}.properties`)
    const sink = `a1.sinks = k1
a1.sinks.k1.type = file_roll
a1.sinks.k1.channel = c1
a1.sinks.k1.sink.directory = ${join(this.directory, runner)}
a1.sinks.k1.sink.rollInterval = 0
a1.sinks.k1.sink.batchSize = 1
a1.sinks.k1.sink.serializer = avro_event
`
    writeFileSync(file, `${HEAD}${this.#sources}${channel ?? sink}`)
    if (runner === 'Millrace') {
      const agent = startMillrace(['agent', '-n', 'a1', '-f', file, '--no-reload-conf'])
      await agent.shows(/^ready agent=a1/m, 30_000)
      await work()
      agent.kill('SIGTERM')
      await agent.finished
      return
    }
    const agent = startFlume(file)
    try {
      await work()
    } finally {
      agent.kill('SIGTERM')
      await once(agent, 'exit')
    }
  }
}

const HEAD = `a1.channels = c1
a1.channels.c1.type = memory
a1.channels.c1.keep-alive = 1
`

function startFlume(file: string): ChildProcess {
  const options = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  const main = ['org.apache.flume.node.Application', '-n', 'a1', '-f', file, '--no-reload-conf']
  return spawn('java', [...options, '-cp', flumeClassPath('1.11'), ...main], { stdio: 'ignore' })
}

async function listens(port: number): Promise<void> {
  const accepts = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' })
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
  await until(accepts, { timeoutMs: 60_000, what: `a listener on port ${port}` })
}

describe('files that Flume 1.11 and Millrace read in turn', function () {
  this.timeout(240_000)

  it('are followed on by TAILDIR in the middle of a file, in both directions', async () => {
    const bench = new Bench(
      (directory) => `a1.sources = t
a1.sources.t.type = TAILDIR
a1.sources.t.channels = c1
a1.sources.t.filegroups = f1
a1.sources.t.filegroups.f1 = ${directory}/in/.*\\\\.log
a1.sources.t.positionFile = ${directory}/positions.json
a1.sources.t.byteOffsetHeader = true
`,
    )
    mkdirSync(join(bench.directory, 'in'))
    const file = join(bench.directory, 'in', "it's a & b=c.log")
    writeFileSync(file, 'one\ntwo\r\nthr')
    await bench.run('Flume', async () => {
      assert.deepEqual(await bench.storedAtLeast('Flume', 2), ['one', 'two'])
    })
    appendFileSync(file, 'ee\nfour\nfi')
    await bench.run('Millrace', async () => {
      assert.deepEqual(await bench.storedAtLeast('Millrace', 2), ['three', 'four'])
    })
    appendFileSync(file, 've\n')
    await bench.run('Flume', async () => {
      const all = [...(await bench.storedAtLeast('Flume', 3))]
      assert.deepEqual(all.sort(), ['five', 'one', 'two'])
    })
    const offsets = [...bench.stored('Flume'), ...bench.stored('Millrace')].map(
      ({ headers }) => headers['byteoffset'],
    )
    assert.deepEqual(offsets.sort(), ['0', '15', '20', '4', '9'])
  })

  it('are read on by spooldir in the middle of a file, in both directions', async () => {
    for (const first of RUNNERS) {
      const second: Runner = first === 'Flume' ? 'Millrace' : 'Flume'
      const bench = new Bench(
        (directory) => `a1.sources = s
a1.sources.s.type = spooldir
a1.sources.s.channels = c1
a1.sources.s.spoolDir = ${directory}/in
a1.sources.s.batchSize = 1
a1.sources.s.deserializer.maxLineLength = 5
`,
      )
      const file = join(bench.directory, 'in', 'a.txt')
      mkdirSync(join(bench.directory, 'in'))
      writeFileSync(file, 'one\nzwölf\nlonger than five\n\nlast')
      // A channel of three events and nobody who takes them.
      const full = 'a1.channels.c1.capacity = 3\na1.channels.c1.transactionCapacity = 1\n'
      const tracker = join(bench.directory, 'in', '.flumespool', '.flumespool-main.meta')
      await bench.run(
        first,
        async () => {
          // Behind "one\n", "zwölf" and the line feed that becomes an event of its own.
          const isThere = async () => ((await readTracker(tracker))?.offset ?? 0) >= 11
          await until(isThere, { timeoutMs: 60_000, what: 'three events read' })
        },
        full,
      )
      await bench.run(second, async () => {
        const expected = ['longe', 'r tha', 'n fiv', 'e', '', 'last']
        assert.deepEqual(await bench.storedAtLeast(second, expected.length), expected)
        await until(() => existsSync(`${file}.COMPLETED`), { what: 'the file to be finished' })
      })
    }
  })
})

describe('senders of syslog and HTTP', function () {
  this.timeout(240_000)

  const MESSAGES = [
    '<34>1 2026-11-20T10:00:00Z h1 app body',
    '<13>Nov 20 10:00:00 h1 app[1]: body',
    '<165>1 2026-11-20T10:00:00+02:00 host.example.com prog 123 ID47 [a b="c"] grün',
    '<13>Nov  5 10:00:00 h2 x',
  ]
  const REQUESTS = [
    '[{"headers":{"a":"b"},"body":"grün"},{"body":1.50}]',
    "[{headers:{'n':1.50}, body:true /* lenient */}]",
    '[{"headers":null}]',
  ]

  it('get the same events stored by Millrace as by Flume 1.11', async () => {
    const [single, multi, web] = [await freePort(), await freePort(), await freePort()]
    const bench = new Bench(
      () => `a1.sources = s m w
a1.sources.s.type = syslogtcp
a1.sources.s.channels = c1
a1.sources.s.host = 127.0.0.1
a1.sources.s.port = ${single}
a1.sources.s.keepFields = timestamp hostname
a1.sources.s.clientIPHeader = ip
a1.sources.m.type = multiport_syslogtcp
a1.sources.m.channels = c1
a1.sources.m.host = 127.0.0.1
a1.sources.m.ports = ${multi}
a1.sources.m.portHeader = port
a1.sources.w.type = http
a1.sources.w.channels = c1
a1.sources.w.bind = 127.0.0.1
a1.sources.w.port = ${web}
`,
    )
    const count = 2 * MESSAGES.length + 4
    for (const runner of RUNNERS) {
      await bench.run(runner, async () => {
        for (const port of [single, multi, web]) await listens(port)
        for (const port of [single, multi]) {
          // Flume may read nothing more of a connection that has ended.
          const socket = connect({ host: '127.0.0.1', port })
          const before = bench.stored(runner).length
          socket.write(MESSAGES.map((line) => `${line}\n`).join(''))
          await bench.storedAtLeast(runner, before + MESSAGES.length)
          await leaveLines(socket, [])
        }
        for (const body of REQUESTS) {
          const headers = { 'content-type': 'application/json' }
          const url = `http://127.0.0.1:${web}/any/path`
          const { status } = await fetch(url, { method: 'POST', headers, body })
          assert.equal(status, 200, body)
        }
        await bench.storedAtLeast(runner, count)
      })
    }
    const plain = (runner: Runner) =>
      bench.stored(runner).map(({ headers, body }) => {
        const sorted = Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1))
        return { headers: Object.fromEntries(sorted), body: body.toString() }
      })
    assert.deepEqual(plain('Millrace'), plain('Flume'))
  })
})
