import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type AgentConfiguration, ConfigurationWatcher } from '@millrace/agent-core'
import { createLogger } from '@millrace/runtime'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { until } from '../../support/until.js'

const text = (capacity: number) => `a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.channels.c1.capacity = ${capacity}
a1.sinks.k1.type = null
a1.sinks.k1.channel = c1
`

/** A web server with one file, and what it was asked. */
class Web {
  body = text(200)
  status = 200
  readonly requests: IncomingMessage[] = []
  readonly statuses: number[] = []
  readonly #server = createServer((request, response) => this.#answer(request, response))

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/flume.properties`
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(request)
    const etag = `"${this.body.length}-${this.body.match(/\d{3}/)?.[0]}"`
    const isKnown = request.headers['if-none-match'] === etag
    const status = this.status === 200 && isKnown ? 304 : this.status
    this.statuses.push(status)
    response.writeHead(status, { etag })
    response.end(status === 200 ? this.body : undefined)
  }
}

describe('a configuration at a web address', () => {
  const servers: Web[] = []
  const stops: AbortController[] = []
  afterEach(() => {
    for (const stop of stops.splice(0)) stop.abort()
    for (const server of servers.splice(0)) server.stop()
  })
  async function serve() {
    const web = new Web()
    servers.push(web)
    return { web, address: await web.start() }
  }
  function watch(file: string | string[], more: Record<string, unknown> = {}) {
    const log: string[] = []
    const seen: unknown[] = []
    const watcher = new ConfigurationWatcher({
      source: { file, agent: 'a1', credentials: { user: 'me', password: 'sesame' } },
      pollIntervalMs: 5,
      logger: createLogger({ level: 'info', write: (line) => log.push(line) }),
      ...more,
    })
    const abort = new AbortController()
    stops.push(abort)
    const onChange = (configuration: AgentConfiguration) => {
      seen.push(configuration.channels[0]?.options['capacity'])
    }
    return { watcher, log, seen, start: () => void watcher.watch(onChange, abort.signal) }
  }

  it('is asked for anew with what is known of it, and taken when it has changed', async () => {
    const { web, address } = await serve()
    const { watcher, seen, start } = watch(address)
    const loaded = await watcher.load()
    assert.equal(loaded.configuration?.channels[0]?.options['capacity'], 200)
    assert.equal(
      web.requests[0]?.headers.authorization,
      `Basic ${Buffer.from('me:sesame').toString('base64')}`,
    )
    start()
    await until(() => web.statuses.filter((status) => status === 304).length > 3, { what: '304s' })
    assert.deepEqual(seen, [])
    web.body = text(300)
    await until(() => seen.length === 1, { what: 'the change' })
    assert.deepEqual(seen, [300])
  })

  it('stays as it is while the server fails or sends an error, and recovers', async () => {
    const { web, address } = await serve()
    const { watcher, seen, log, start } = watch(address)
    await watcher.load()
    start()
    web.status = 503
    await until(() => web.statuses.filter((status) => status === 503).length > 2, { what: '503s' })
    web.status = 200
    web.body = text(300).replace('capacity', 'capacityy')
    await until(() => log.some((line) => line.includes('has errors')), { what: 'the refusal' })
    web.body = text(400)
    await until(() => seen.length === 1, { what: 'the change' })
    assert.deepEqual(seen, [400])
  })

  it('keeps the password of its address out of findings and logs', async () => {
    const { web, address } = await serve()
    web.body = text(200).replace('capacity', 'capacityy')
    const { watcher } = watch(address.replace('//', '//you:hidden@'))
    const { findings } = await watcher.load()
    assert.deepEqual(new Set(findings.map(({ file }) => file)), new Set([address]))
    const [, sent = ''] = web.requests[0]?.headers.authorization?.split(' ') ?? []
    assert.equal(Buffer.from(sent, 'base64').toString(), 'you:hidden')
  })

  it('runs no code from there', async () => {
    const { address } = await serve()
    const { watcher } = watch(address.replace('.properties', '.js'))
    await assert.rejects(watcher.load(), /code is not run from a web address/)
  })

  it('is loaded from its copy when nothing can be read, references unresolved in it', async () => {
    const { web, address } = await serve()
    const directory = join(temporaryDirectory(), 'copies')
    const file = join(temporaryDirectory(), 'more.properties')
    writeFileSync(file, `a1.channels.c1.capacity = \${env:MILLRACE_TEST_CAPACITY:-777}\n# ü\n`)
    await watch([address, file], { backupDirectory: directory }).watcher.load()
    const copy = join(directory, '.a1.properties')
    assert.match(readFileSync(copy, 'utf8'), /capacity = \$\{env:MILLRACE_TEST_CAPACITY:-777\}/)
    assert.equal(statSync(copy).mode & 0o777, 0o600)
    web.status = 404
    const { watcher, log } = watch([address, file], { backupDirectory: directory })
    const { configuration } = await watcher.load()
    assert.equal(configuration?.channels[0]?.options['capacity'], 777)
    assert.match(log.join(''), /the copy .* is used instead .*the server answered 404/s)
    await assert.rejects(watch(address).watcher.load(), /the server answered 404/)
  })
})
