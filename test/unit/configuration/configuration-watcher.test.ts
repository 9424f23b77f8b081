import assert from 'node:assert/strict'
import { renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AgentConfiguration, ConfigurationWatcher } from '@millrace/agent-core'
import { createLogger } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'
import { testComponents } from '../../support/configuration/test-components.js'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { until } from '../../support/until.js'

const text = (capacity: number | string, agent = 'a1') => `${agent}.sinks = k1
${agent}.channels = c1
${agent}.channels.c1.type = tank
${agent}.channels.c1.capacity = ${capacity}
${agent}.sinks.k1.type = line_out
${agent}.sinks.k1.channel = c1
${agent}.sinks.k1.sink.directory = /tmp
`

/** A file that is watched, with what its watcher said and did. */
class Watched {
  readonly file = join(temporaryDirectory(), 'flume.properties')
  readonly capacities: unknown[] = []
  readonly log: string[] = []
  readonly clock = new FakeClock()
  readonly #abort = new AbortController()
  readonly watcher: ConfigurationWatcher
  /** Seconds that the next version's time is later than the last one's. */
  #seconds = 1_000_000

  constructor() {
    this.watcher = new ConfigurationWatcher({
      source: { file: this.file, agent: 'a1', components: testComponents },
      pollIntervalMs: 30_000,
      logger: createLogger({ level: 'debug', write: (line) => this.log.push(line) }),
      clock: this.clock,
    })
  }

  write(content: string, secondsLater = 10): void {
    writeFileSync(this.file, content)
    this.touch(secondsLater)
  }

  touch(secondsLater: number): void {
    this.#seconds += secondsLater
    utimesSync(this.file, this.#seconds, this.#seconds)
  }

  onChange = (configuration: AgentConfiguration): void => {
    this.capacities.push(configuration.channels[0]?.options['capacity'])
  }

  start(onChange: (configuration: AgentConfiguration) => void | Promise<void> = this.onChange) {
    const done = this.watcher.watch(onChange, this.#abort.signal)
    return async () => {
      this.#abort.abort()
      await done
    }
  }

  /** Lets one interval pass and waits until the watcher waits for the next. */
  async poll(): Promise<void> {
    await until(() => this.clock.pendingTimers === 1, { what: 'the watcher waits' })
    await this.clock.advance(30_000)
    await until(() => this.clock.pendingTimers === 1, { what: 'the watcher waits again' })
  }
}

describe('a watched configuration', () => {
  it('is handed over when its file is newer, once for each version', async () => {
    const watched = new Watched()
    watched.write(text(200))
    const { configuration } = await watched.watcher.load()
    assert.equal(configuration?.channels[0]?.options['capacity'], 200)
    const stop = watched.start()
    await watched.poll()
    assert.deepEqual(watched.capacities, [])
    watched.write(text(300))
    await watched.poll()
    await watched.poll()
    watched.write(text(400))
    await watched.poll()
    assert.deepEqual(watched.capacities, [300, 400])
    await stop()
    assert.equal(watched.clock.pendingTimers, 0)
  })

  it('is looked at no sooner than its interval says', async () => {
    const watched = new Watched()
    watched.write(text(200))
    await watched.watcher.load()
    const stop = watched.start()
    watched.write(text(300))
    await watched.clock.advance(29_999)
    assert.deepEqual(watched.capacities, [])
    await watched.poll()
    assert.deepEqual(watched.capacities, [300])
    await stop()
  })

  it('stays when its file is older, the same, gone or back as it was', async () => {
    const watched = new Watched()
    watched.write(text(200))
    await watched.watcher.load()
    const stop = watched.start()
    watched.write(text(300), -100)
    await watched.poll()
    const aside = `${watched.file}.aside`
    renameSync(watched.file, aside)
    await watched.poll()
    renameSync(aside, watched.file)
    await watched.poll()
    assert.deepEqual(watched.capacities, [])
    await stop()
  })

  it('is handed over when a file that was gone is back and newer', async () => {
    const watched = new Watched()
    watched.write(text(200))
    await watched.watcher.load()
    const stop = watched.start()
    rmSync(watched.file)
    await watched.poll()
    watched.write(text(300))
    await watched.poll()
    assert.deepEqual(watched.capacities, [300])
    await stop()
  })

  it('is noticed when it changed in the same tick as it was read', async () => {
    const watched = new Watched()
    watched.write(text(200))
    const before = statSync(watched.file).mtimeMs
    await watched.watcher.load()
    const stop = watched.start()
    watched.write(text(20_000), 0)
    assert.equal(statSync(watched.file).mtimeMs, before)
    await watched.poll()
    assert.deepEqual(watched.capacities, [20_000])
    await stop()
  })

  it('stays when the file has errors or lost the agent, which is logged once', async () => {
    const watched = new Watched()
    watched.write(text(200))
    await watched.watcher.load()
    const stop = watched.start()
    watched.write(text('many'))
    await watched.poll()
    await watched.poll()
    const errors = () => watched.log.filter((line) => line.includes('ERROR'))
    assert.equal(errors().length, 2)
    assert.match(errors()[0] ?? '', /:4: error MILLRACE_CONFIG_INVALID a1\.channels\.c1\.capacity/)
    assert.match(errors()[1] ?? '', /stays as it is/)
    watched.write(text(300, 'a2'))
    await watched.poll()
    assert.match(errors()[2] ?? '', /no longer has an agent a1/)
    watched.write(text(400))
    await watched.poll()
    assert.deepEqual(watched.capacities, [400])
    await stop()
  })

  it('is watched further after a change could not be dealt with', async () => {
    const watched = new Watched()
    watched.write(text(200))
    await watched.watcher.load()
    let calls = 0
    const stop = watched.start(async (configuration) => {
      calls += 1
      if (calls === 1) throw new Error('no such luck')
      watched.onChange(configuration)
    })
    watched.write(text(300))
    await watched.poll()
    assert.match(watched.log.join(''), /no such luck/)
    watched.write(text(400))
    await watched.poll()
    assert.deepEqual(watched.capacities, [400])
    await stop()
  })

  it('is read at once on request, changed or not', async () => {
    const watched = new Watched()
    watched.write(text(200))
    await watched.watcher.load()
    const stop = watched.start()
    for (const count of [1, 2]) {
      watched.watcher.requestReload()
      watched.watcher.requestReload()
      await until(() => watched.capacities.length === count, { what: `reload ${count}` })
    }
    assert.deepEqual(watched.capacities, [200, 200])
    await until(() => watched.clock.pendingTimers === 1, { what: 'the watcher waits' })
    rmSync(watched.file)
    watched.watcher.requestReload()
    await until(() => watched.log.some((line) => line.includes('is gone')), { what: 'a warning' })
    await stop()
    assert.equal(watched.clock.pendingTimers, 0)
  })

  it('is not watched once the signal is aborted, also before it began', async () => {
    const watched = new Watched()
    watched.write(text(200))
    await watched.watcher.watch(watched.onChange, AbortSignal.abort())
    const stop = watched.start()
    await stop()
    await stop()
    assert.equal(watched.clock.pendingTimers, 0)
  })
})
