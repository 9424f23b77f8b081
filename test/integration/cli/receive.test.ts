import assert from 'node:assert/strict'
import { appendFileSync, chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EventBatch, type EventInit } from '@millrace/event'
import { AvroRpcClient } from '@millrace/rpc'
import {
  type Command,
  type CommandOptions,
  inTwos,
  runMillrace,
  startMillrace,
} from '../../support/command.js'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { until } from '../../support/until.js'

const started: Command[] = []

async function startReceiver(
  words: readonly string[] = [],
  options: CommandOptions & { directory?: string } = {},
) {
  const directory = options.directory ?? temporaryDirectory()
  const receiver = startMillrace(['receive', '--port', '0', '--dir', directory, ...words], options)
  started.push(receiver)
  const [, port] = await receiver.shows(/^Listening on 127\.0\.0\.1:(\d+) /m)
  return { receiver, directory, port: Number(port) }
}

async function send(port: number, events: readonly EventInit[]): Promise<void> {
  const client = new AvroRpcClient({ host: '127.0.0.1', port })
  await client.connect()
  await client.appendBatch(EventBatch.of(events))
  await client.close()
}

const refuses = (port: number) =>
  send(port, [{ body: 'late' }]).then(
    () => false,
    () => true,
  )

const eventFiles = (directory: string) =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.ndjson'))
    .sort()

const kept = (directory: string) =>
  eventFiles(directory).map((name) => readFileSync(join(directory, name), 'utf8'))

async function end(receiver: Command) {
  receiver.kill('SIGINT')
  const finished = await receiver.finished
  assert.equal(finished.code, 0, finished.stderr)
  return finished
}

const WARNING = {
  headers: {
    'flume.client.log4j.log.level': '30000',
    'flume.client.log4j.logger.name': 'billing',
    host: 'web-1',
  },
  body: 'disk 91%',
}

describe('millrace receive', () => {
  afterEach(() => {
    for (const receiver of started.splice(0)) receiver.kill('SIGKILL')
  })

  it('says where it listens, where it writes and how to point a logger at it', async () => {
    const { receiver, directory, port } = await startReceiver()
    await receiver.shows(/Ctrl-C/)
    assert.ok(receiver.stdout.includes(directory))
    for (const logger of ['winston', 'log4js', 'pino'])
      assert.match(receiver.stdout, new RegExp(`^ +${logger} .*'127\\.0\\.0\\.1:${port}'`, 'm'))
    await end(receiver)
  })

  it('shows and keeps each event', async () => {
    const { receiver, directory, port } = await startReceiver()
    await send(port, [WARNING, { body: 'second\n    at a' }])
    await receiver.shows(/^\d\d:\d\d:\d\d\.\d{3} WARN {2}billing web-1 {2}disk 91%$/m)
    await receiver.shows(/ {2}second\n {8}at a\n/)
    const { stdout } = await end(receiver)
    assert.match(stdout, /^Events kept in .*: 2$/m)
    const lines = kept(directory)
      .join('')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      lines.map(({ headers, body }) => ({ headers, body })),
      [WARNING, { headers: {}, body: 'second\n    at a' }],
    )
  })

  it('shows headers on request', async () => {
    const { receiver, port } = await startReceiver(['--headers'])
    await send(port, [WARNING])
    await receiver.shows(/disk 91%\n(?: {4}\S+: \S+\n)* {4}host: web-1\n/)
    await end(receiver)
  })

  it('writes nothing but one line of JSON for each event with --json', async () => {
    const { receiver, directory, port } = await startReceiver(['--json'])
    await send(port, [WARNING, { body: Buffer.from([0xff]) }])
    await until(() => receiver.stdout.split('\n').length === 3, { what: 'two lines' })
    const { stdout } = await end(receiver)
    assert.equal(stdout, kept(directory).join(''))
    assert.deepEqual(JSON.parse(stdout.split('\n')[1] ?? '').bodyEncoding, 'base64')
  })

  it('colours only where it is asked to when its output is no terminal', async () => {
    const plain = await startReceiver()
    await send(plain.port, [WARNING])
    await plain.receiver.shows(/disk 91%/)
    assert.ok(!(await end(plain.receiver)).stdout.includes('\u001b'))
    const coloured = await startReceiver([], { environment: { FORCE_COLOR: '1' } })
    await send(coloured.port, [WARNING])
    await coloured.receiver.shows(/disk 91%/)
    assert.ok((await end(coloured.receiver)).stdout.includes('\u001b[33mWARN'))
  })

  it('begins a new file behind the torn line of a crash', async () => {
    const first = await startReceiver()
    await send(first.port, [WARNING])
    await first.receiver.shows(/disk 91%/)
    first.receiver.kill('SIGKILL')
    await first.receiver.finished
    const [name = ''] = eventFiles(first.directory)
    appendFileSync(join(first.directory, name), '{"receivedAt":"2026')
    const second = await startReceiver([], { directory: first.directory })
    await send(second.port, [WARNING])
    await second.receiver.shows(/disk 91%/)
    await end(second.receiver)
    const [torn = '', whole = ''] = kept(first.directory)
    assert.ok(torn.endsWith('{"receivedAt":"2026'))
    // The event of before may come once more: its delivery may not have been on disk.
    const lines = whole.trimEnd().split('\n')
    assert.ok(lines.length === 1 || lines.length === 2)
    for (const line of lines) assert.equal(JSON.parse(line).body, 'disk 91%')
  })

  it('has what it acknowledged after it was killed, and shows it at the next start', async () => {
    const first = await startReceiver()
    first.receiver.child.stdout?.pause() // so that showing comes to a halt
    const bodies = Array.from({ length: 30 }, (_, i) => `${i} ${'x'.repeat(50_000)}`)
    for (const body of bodies) await send(first.port, [{ body }])
    first.receiver.kill('SIGKILL')
    await first.receiver.finished
    const second = await startReceiver([], { directory: first.directory })
    await second.receiver.shows(/ {2}29 x+\n/)
    await end(second.receiver)
    const lines = kept(first.directory).join('').trimEnd().split('\n')
    const numbers = lines.map((line) => Number(JSON.parse(line).body.split(' ')[0]))
    assert.deepEqual(
      [...new Set(numbers)].toSorted((a, b) => a - b),
      bodies.map((_, i) => i),
    )
  })

  it('exits with 2 and one line when another receiver has its folder', async () => {
    const { receiver, directory } = await startReceiver()
    const words = ['receive', '--port', '0', '--dir', directory]
    const { code, stdout, stderr } = await runMillrace(words)
    assert.deepEqual([code, stdout, stderr.split('\n').length], [2, '', 2], stderr)
    assert.match(stderr, /another receiver keeps its events in .*--dir/)
    await end(receiver)
  })

  it('exits with 2 and one line when the port is in use', async () => {
    const { receiver, port } = await startReceiver()
    const { code, stdout, stderr } = await runMillrace([
      'receive',
      '--port',
      String(port),
      '--dir',
      temporaryDirectory(),
    ])
    assert.deepEqual([code, stdout, stderr.split('\n').length], [2, '', 2])
    assert.match(stderr, new RegExp(`port ${port} of 127\\.0\\.0\\.1 is in use`))
    await end(receiver)
  })

  it('exits with 2 and one line when it cannot write its folder', async () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'file'), '')
    const closed = join(directory, 'closed')
    const folders = [join(directory, 'file'), join(directory, 'file', 'x'), '/proc/none']
    if (process.getuid?.() !== 0) {
      chmodSync(directory, 0o500)
      folders.push(closed)
    }
    await inTwos(folders, async (folder) => {
      const { code, stdout, stderr } = await runMillrace([
        'receive',
        '--port',
        '0',
        '--dir',
        folder,
      ])
      assert.deepEqual([code, stdout, stderr.split('\n').length], [2, '', 2], stderr)
      assert.ok(stderr.includes(folder), stderr)
    })
    chmodSync(directory, 0o700)
  })

  it('goes on keeping events when nobody reads its output any more', async () => {
    const { receiver, directory, port } = await startReceiver()
    receiver.child.stdout?.destroy()
    await send(port, [WARNING])
    await send(port, [WARNING])
    await until(() => kept(directory).join('').split('\n').length === 3, { what: 'two kept lines' })
    await end(receiver)
  })

  it('ends at once, with 1, at a second Ctrl-C', async () => {
    const { receiver, directory, port } = await startReceiver()
    receiver.child.stdout?.pause() // so that what is shown does not leave and the first cannot end
    const body = 'x'.repeat(100_000)
    for (let i = 0; i < 10; i += 1) await send(port, [{ body }])
    await until(() => kept(directory).join('').length > 100_000, { what: 'kept events' })
    receiver.kill('SIGINT')
    await until(() => refuses(port), { what: 'a source that has stopped' })
    receiver.kill('SIGINT')
    const code = new Promise((resolve) => receiver.child.once('exit', resolve))
    assert.equal(await code, 1)
  })

  it('takes the echo of a Ctrl-C that npm sends for the same one', async () => {
    const { receiver, port } = await startReceiver([], {
      environment: { npm_lifecycle_event: 'start' },
    })
    await send(port, [WARNING])
    receiver.kill('SIGINT')
    receiver.kill('SIGINT')
    assert.equal((await receiver.finished).code, 0)
    assert.match(receiver.stdout, /^Events kept in .*: 1$/m)
  })
})
