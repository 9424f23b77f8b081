import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type Command, inTwos, runMillrace, startMillrace } from '../../support/command.js'
import { freePort } from '../../support/free-port.js'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { until } from '../../support/until.js'

const started: Command[] = []
const directory = temporaryDirectory()

/** An agent from an avro source (or another) to files. */
function configuration(settings: Record<string, string>): Record<string, string> {
  return {
    'a1.sources': 's',
    'a1.channels': 'c',
    'a1.sinks': 'k',
    'a1.sources.s.type': 'seq',
    'a1.sources.s.channels': 'c',
    'a1.channels.c.type': 'memory',
    'a1.sinks.k.type': 'null',
    'a1.sinks.k.channel': 'c',
    ...settings,
  }
}

function writeProperties(name: string, settings: Record<string, string>): string {
  const file = join(directory, name)
  const lines = Object.entries(configuration(settings)).map(([key, value]) => `${key} = ${value}`)
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}

function startAgent(file: string, ...more: string[]): Command {
  const agent = startMillrace(['agent', '-n', 'a1', '-f', file, ...more])
  started.push(agent)
  return agent
}

async function stop(agent: Command): Promise<void> {
  agent.kill('SIGTERM')
  const { code, stderr } = await agent.finished
  assert.equal(code, 0, stderr)
}

const FEW = { 'a1.sources.s.totalEvents': '5' }

describe('millrace agent', () => {
  afterEach(() => {
    for (const agent of started.splice(0)) agent.kill('SIGKILL')
  })

  it('says when it is ready and ends with 0 on SIGTERM and on SIGINT', async () => {
    const file = writeProperties('ready.properties', FEW)
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const agent = startAgent(file)
      await agent.shows(/^ready agent=a1\b/m)
      agent.kill(signal)
      const { code, stdout, stderr } = await agent.finished
      assert.equal(code, 0, stderr)
      assert.match(stdout, /^ready agent=a1\b.*\n$/)
      assert.match(stderr.trimEnd().split('\n').at(-1) ?? '', /memory channels: 0$/)
    }
  })

  it('stores what it has acknowledged before it ends', async () => {
    const port = await freePort()
    const stored = join(directory, 'stored')
    mkdirSync(stored)
    const agent = startAgent(
      writeProperties('drain.properties', {
        'a1.sources.s.type': 'avro',
        'a1.sources.s.bind': '127.0.0.1',
        'a1.sources.s.port': '${sys:port}',
        'a1.channels.c.capacity': '10000',
        'a1.sinks.k.type': 'file_roll',
        'a1.sinks.k.sink.directory': stored,
      }),
      `-Dport=${port}`,
    )
    await agent.shows(/^ready /m)
    const lines = Array.from({ length: 2_000 }, (_, index) => `line ${index}`)
    const sent = await runMillrace(
      ['avro-client', '-H', '127.0.0.1', '-p', String(port), '--batch-size', '100'],
      { stdin: lines.join('\n') },
    )
    assert.equal(sent.code, 0, sent.stderr)
    await stop(agent)
    const text = readdirSync(stored)
      .map((name) => readFileSync(join(stored, name), 'utf8'))
      .join('')
    assert.deepEqual(text.trimEnd().split('\n'), lines)
  })

  it('says last how many events memory channels still held', async () => {
    const agent = startAgent(
      writeProperties('held.properties', {
        ...FEW,
        'a1.sinks.k.type': 'avro',
        'a1.sinks.k.hostname': '127.0.0.1',
        'a1.sinks.k.port': String(await freePort()),
      }),
      '--stop-timeout',
      '0.3',
    )
    await agent.shows(/^ready /m)
    agent.kill('SIGTERM')
    const { code, stderr } = await agent.finished
    assert.equal(code, 0, stderr)
    assert.match(stderr.trimEnd().split('\n').at(-1) ?? '', /memory channels: ([1-5]) \(c: \1\)/)
  })

  it('ends at once, with 1, at a second signal', async () => {
    const agent = startAgent(
      writeProperties('twice.properties', {
        ...FEW,
        'a1.sinks.k.type': 'avro',
        'a1.sinks.k.hostname': '127.0.0.1',
        'a1.sinks.k.port': String(await freePort()),
      }),
      '--stop-timeout',
      '60',
    )
    await agent.shows(/^ready /m)
    agent.kill('SIGTERM')
    await agent.shows(/SIGTERM: stopping/)
    agent.kill('SIGTERM')
    assert.equal((await agent.finished).code, 1)
  })

  it('shows findings on standard error and exits with 2 for a bad configuration', async () => {
    const file = writeProperties('bad.properties', { 'a1.sinks.k.nope': '1' })
    const { code, stdout, stderr } = await runMillrace(['agent', '-n', 'a1', '-f', file])
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, /:9: error MILLRACE_CONFIG_UNKNOWN_PROPERTY a1\.sinks\.k\.nope: /)
  })

  it('exits with 2 and one line for bad usage, an unknown agent and an unreadable file', async () => {
    const file = writeProperties('usage.properties', FEW)
    const cases = [
      [['-n', 'a2', '-f', file], /no agent named “a2”/],
      [['-n', 'a1', '-f', join(directory, 'none')], /cannot be read/],
      [['-f', file], /--name/],
      [['-n', 'a1', '-f', file, '--poll-interval', 'x'], /--poll-interval/],
      [['-n', 'a1', '-f', file, '--log-level', 'loud'], /--log-level/],
      [['-n', 'a1', '-n', 'a1', '-f', file], /--name stands twice/],
      [['-n', 'a1'], /--conf-file or --conf-uri/],
      [['-n', 'a1', '-f', file, '--zkConnString', 'zk:2181'], /--zkConnString/],
      [['-n', 'a1', '-u', 'classpath:a.properties'], /no class path/],
      [['-n', 'a1', '-u', 'http://127.0.0.1:1/a', '-user', 'u', '-pwd', 'p'], /cannot be read/],
      [['-n', 'a1', '-f', file, '-Xmx512m'], /-Xmx512m/],
      [['-n', 'a1', '-f', file, '-Dflume.monitoring.type=ganglia'], /ganglia/],
    ] as const
    await inTwos(cases, async ([words, reason]) => {
      const { code, stdout, stderr } = await runMillrace(['agent', ...words])
      assert.deepEqual([code, stdout, stderr.split('\n').length], [2, '', 2], stderr)
      assert.match(stderr, reason)
    })
  })

  it('gives up with 1 when a component cannot start within its time', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await until(() => holder.listening, { what: 'a port that is in use' })
    const address = holder.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const file = writeProperties('busy.properties', {
      'a1.sources.s.type': 'avro',
      'a1.sources.s.bind': '127.0.0.1',
      'a1.sources.s.port': String(port),
    })
    const { code, stdout, stderr } = await runMillrace([
      'agent',
      '-n',
      'a1',
      '-f',
      file,
      '--start-timeout',
      '0.2',
    ])
    holder.close()
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /EADDRINUSE/)
  })

  it('serves counters where the flume.monitoring properties ask for it', async () => {
    const port = await freePort()
    const agent = startAgent(
      writeProperties('monitored.properties', FEW),
      '-Dflume.monitoring.type=http',
      `-Dflume.monitoring.port=${port}`,
    )
    await agent.shows(/^ready /m)
    const metrics = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/metrics`)
      return (await response.json()) as Record<string, Record<string, string>>
    }
    await until(async () => (await metrics())['SOURCE.s']?.['EventAcceptedCount'] === '5', {
      what: 'five accepted events',
    })
    assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200)
    await stop(agent)
  })

  it('starts everything anew when its file has changed, unless it is not valid', async () => {
    const file = writeProperties('reload.properties', { ...FEW, 'a1.sinks.k.type': 'logger' })
    const agent = startAgent(file, '--poll-interval', '0.05')
    await agent.shows(/^ready /m)
    writeProperties('reload.properties', { 'a1.sinks.k.type': 'nothing' })
    await agent.shows(/has errors: the configuration stays as it is/)
    assert.match(agent.stderr, /error MILLRACE_CONFIG_UNKNOWN_TYPE a1\.sinks\.k\.type/)
    writeProperties('reload.properties', { 'a1.sources.s.totalEvents': '3' })
    await agent.shows(/is now is in use/)
    await stop(agent)
  })

  it('does not look at its file again with --no-reload-conf, and outlives SIGHUP', async () => {
    const file = writeProperties('still.properties', FEW)
    const agent = startAgent(file, '--no-reload-conf', '--poll-interval', '0.05')
    await agent.shows(/^ready /m)
    writeProperties('still.properties', { 'a1.sinks.k.type': 'nothing' })
    agent.kill('SIGHUP')
    await agent.shows(/SIGHUP does nothing/)
    await stop(agent)
    assert.doesNotMatch(agent.stderr, /has changed/)
  })

  it('reads its file again on SIGHUP', async () => {
    const agent = startAgent(writeProperties('hup.properties', FEW))
    await agent.shows(/^ready /m)
    agent.kill('SIGHUP')
    await agent.shows(/is now is in use/)
    await stop(agent)
  })

  it('logs a promise that nobody awaited and ends with 1', async () => {
    writeFileSync(
      join(directory, 'stray.mjs'),
      `export default {
        kind: 'sink', alias: null, classNames: [], summary: 'Fails aside.', options: {},
        create: () => ({
          batchSize: 1,
          start: async () => { Promise.reject(new Error('nobody awaits this')) },
          write: async () => {},
        }),
      }`,
    )
    const file = writeProperties('stray.properties', { 'a1.sinks.k.type': './stray.mjs' })
    const { code, stderr } = await runMillrace(['agent', '-n', 'a1', '-f', file])
    assert.equal(code, 1)
    assert.match(stderr, /unhandled rejection: Error: nobody awaits this/)
  })

  it('goes on when nobody reads its output any more', async () => {
    const agent = startAgent(
      writeProperties('deaf.properties', {
        'a1.sinks.k.type': 'logger',
        'a1.sources.s.totalEvents': '100',
      }),
    )
    agent.child.stderr?.destroy()
    await agent.shows(/^ready /m)
    agent.child.stdout?.destroy()
    agent.kill('SIGHUP') // makes it write more
    agent.kill('SIGTERM')
    assert.deepEqual([(await agent.finished).code, agent.child.signalCode], [0, null])
  })

  it('on a taken monitoring port: one clear line and exit code 1', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const file = writeProperties('monitored.properties', {})
    const monitoring = ['type=http', 'host=127.0.0.1', `port=${port}`]
    const words = monitoring.map((each) => `-Dflume.monitoring.${each}`)
    const { code, stdout, stderr } = await runMillrace(['agent', '-n', 'a1', '-f', file, ...words])
    taken.close()
    assert.deepEqual([code, stdout], [1, ''])
    assert.equal(stderr.trim().split('\n').length, 1, stderr)
    assert.match(stderr, new RegExp(`port ${port}.*EADDRINUSE`))
  })

  it('says that a monitoring property is misspelt', async () => {
    const file = writeProperties('misspelt.properties', {})
    const words = ['type=http', 'host=127.0.0.1', 'port=0', 'prot=1']
    const agent = startAgent(file, ...words.map((word) => `-Dflume.monitoring.${word}`))
    await agent.shows(/^ready agent=a1/m)
    assert.match(
      agent.stderr,
      /-Dflume\.monitoring\.prot: .*did you mean "(?:flume\.monitoring\.)?port"/,
    )
    agent.kill('SIGTERM')
    assert.equal((await agent.finished).code, 0)
  })

  // Which other properties there are depends on the type: a monitor may be a module with its own.
  it('says that monitoring properties do nothing without a type', async () => {
    const file = writeProperties('unmonitored.properties', {})
    const agent = startAgent(file, '-Dflume.monitoring.prot=1', '-Dflume.monitoring.port=2')
    await agent.shows(/^ready agent=a1/m)
    for (const key of ['prot', 'port'])
      assert.match(
        agent.stderr,
        new RegExp(
          `-Dflume\\.monitoring\\.${key} does nothing without -Dflume\\.monitoring\\.type`,
        ),
      )
    agent.kill('SIGTERM')
    assert.equal((await agent.finished).code, 0)
  })

  it('shows its times in seconds, as they are given', async () => {
    const { stdout } = await runMillrace(['agent', '--help'])
    assert.match(stdout, /--poll-interval.*\(default: 30\)/s)
    assert.match(stdout, /--stop-timeout.*\(default: 10\)/s)
    assert.doesNotMatch(stdout, /000\)/)
  })
})
