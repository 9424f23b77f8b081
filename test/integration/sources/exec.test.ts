import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { OutputLines } from '@millrace/agent-core/internal/sources/exec/output-lines'
import { execSource } from '@millrace/agent-core/internal/sources/exec'
import type { Source } from '@millrace/component'
import { ChannelError } from '@millrace/runtime'
import { createContext, type Settings } from '@millrace/testkit'
import { keptLogger, sourceContext } from '../../support/component-context.js'
import { fastClock } from '../../support/fast-clock.js'
import { repository } from '../../support/repository.js'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { until } from '../../support/until.js'

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A process that is gone and not yet waited for is no process any more.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

describe('exec source', () => {
  let source: Source | undefined
  afterEach(() => source?.stop?.({ deadlineMs: 1_000 }))

  async function start(settings: Settings) {
    const log = keptLogger()
    const made = createContext(execSource, settings, { clock: fastClock(), logger: log.logger })
    source = execSource.create(made as never)
    const context = sourceContext()
    await source.start?.(context)
    const texts = async (count: number) => {
      await until(() => context.channel.texts.length >= count, { what: `${count} lines` })
      return context.channel.texts
    }
    return { context, texts, log: () => log.lines.join('') }
  }

  it('splits a command at blanks, or gives it to a shell as it is', async () => {
    const { texts } = await start({ command: 'printf  a\\nb|c\\n' })
    assert.deepEqual(await texts(2), ['a', 'b|c'])
    await source?.stop?.({ deadlineMs: 1_000 })
    const shell = await start({ shell: '/bin/sh -c', command: 'echo "x  y" | tr x z; printf end' })
    assert.deepEqual(await shell.texts(2), ['z  y', 'end'])
  })

  it('starts a command again after restartThrottle, only if it is told so', async () => {
    const { texts, log } = await start({ command: 'echo x', restart: 'true' })
    assert.deepEqual(await texts(3), ['x', 'x', 'x'])
    await source?.stop?.({ deadlineMs: 1_000 })
    const once = await start({ command: 'false' })
    await until(() => once.log().includes('not started again'), { what: 'the end' })
    assert.match(once.log(), /false has ended with 1/)
    assert.doesNotMatch(log(), /not started again/)
  })

  it('does not start with a program that is not there', async () => {
    await assert.rejects(start({ command: '/no/such/program' }), {
      code: 'MILLRACE_LIFECYCLE_START_FAILED',
    })
  })

  it('puts lines again that the channel refused, in their order', async () => {
    const { context, texts } = await start({ command: 'seq 1 100', batchSize: '7' })
    let refusals = 3
    context.channel.beforePut = () => {
      refusals -= 1
      if (refusals >= 0) throw new ChannelError('MILLRACE_CHANNEL_FULL', 'full')
    }
    const expected = Array.from({ length: 100 }, (_, i) => String(i + 1))
    assert.deepEqual(await texts(100), expected)
  })

  it('logs the error output with logStdErr, and reads it in any case', async () => {
    const command = 'seq 1 50000 >&2; echo oops >&2; echo done'
    for (const logStdErr of ['true', 'false']) {
      const { texts, log } = await start({ shell: '/bin/sh -c', command, logStdErr })
      assert.deepEqual(await texts(1), ['done'])
      await until(() => log().includes('has ended'), { what: 'the end' })
      assert.equal(log().includes('stderr: oops'), logStdErr === 'true')
      await source?.stop?.({ deadlineMs: 1_000 })
    }
  })

  it('leaves no process behind when it stops, also of those that the command started', async () => {
    const command = 'trap "" TERM; sleep 600 & echo $!; echo $$; wait'
    const { texts } = await start({ shell: '/bin/sh -c', command })
    const pids = (await texts(2)).map(Number)
    assert.ok(pids.every(isAlive))
    await source?.stop?.({ deadlineMs: 1_000 })
    await until(() => !pids.some(isAlive), { what: 'all processes gone' })
  })

  it('leaves no process behind when its own is killed', async () => {
    const program = `
      const { ExecSource } = await import(${JSON.stringify(
        pathToFileURL(join(repository, 'agent-core/dist/esm/sources/exec/exec-source.js')).href,
      )})
      const { silentLogger, systemClock } = await import('@millrace/runtime')
      const { SourceCounters } = await import('@millrace/component')
      const options = {
        command: ['/bin/sh', '-c', 'sleep 600 & echo $!; echo $$; wait'],
        restart: false, restartThrottleMs: 1, logStdErr: false, batchSize: 1, batchTimeoutMs: 1,
      }
      const source = new ExecSource(options, { logger: silentLogger, clock: systemClock })
      await source.start({
        signal: new AbortController().signal,
        counters: new SourceCounters(),
        fail() {},
        deliver: async (batch) => console.log(batch.bodyAt(0).toString()),
      })`
    const agent = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: join(repository, 'agent-core'),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    agent.stdout.on('data', (chunk) => {
      text += String(chunk)
    })
    await until(() => text.split('\n').length > 2, { what: 'two pids', timeoutMs: 15_000 })
    const pids = text.trim().split('\n').map(Number)
    assert.ok(pids.every(isAlive))
    agent.kill('SIGKILL')
    await once(agent, 'exit')
    await until(() => !pids.some(isAlive), { what: 'all processes gone' })
  })

  it('sends what it has when the command ends, and holds lines no longer than batchTimeout', async () => {
    const { texts } = await start({ shell: '/bin/sh -c', command: 'echo one; sleep 600' })
    assert.deepEqual(await texts(1), ['one'])
    assert.ok(temporaryDirectory())
  })
})

describe('lines of an output', () => {
  it('end at a line feed, a carriage return, or both, across chunks', () => {
    for (const size of [1, 2, 3, 100]) {
      const bytes = Buffer.from('a\nb\r\nc\rd\n\r\n\re')
      const lines = new OutputLines(1_000)
      const texts: string[] = []
      for (let at = 0; at < bytes.length; at += size) {
        texts.push(...lines.add(bytes.subarray(at, at + size)).map(String))
      }
      texts.push(...lines.end().map(String))
      assert.deepEqual(texts, ['a', 'b', 'c', 'd', '', '', 'e'], `chunks of ${size}`)
    }
  })

  it('are cut where they are too long', () => {
    const lines = new OutputLines(4)
    assert.deepEqual(lines.add(Buffer.from('abc')).map(String), [])
    assert.deepEqual(lines.add(Buffer.from('def')).map(String), ['abcdef'])
    assert.deepEqual(lines.add(Buffer.from('g\n')).map(String), ['g'])
  })
})
