import assert from 'node:assert/strict'
import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mockReceiver } from '@millrace/testkit/receiver'
import { inTwos, runMillrace } from '../../support/command.js'
import { freePort } from '../../support/free-port.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

type Receiver = Awaited<ReturnType<typeof mockReceiver>>

describe('millrace avro-client', () => {
  let receiver: Receiver
  const directory = temporaryDirectory()
  beforeEach(async () => {
    receiver = await mockReceiver()
  })
  afterEach(() => receiver.close())

  const client = (words: readonly string[], stdin = '') =>
    runMillrace(['avro-client', '-H', '127.0.0.1', '-p', String(receiver.port), ...words], {
      stdin,
    })
  const texts = () => receiver.events.map((event) => event.text)

  it('sends each line of standard input as an event, in order', async () => {
    const { code, stderr } = await client([], 'one\ntwo\r\n\nlast')
    assert.equal(code, 0, stderr)
    assert.deepEqual(texts(), ['one', 'two', '', 'last'])
  })

  it('sends a file with the headers of another', async () => {
    const file = join(directory, 'lines.txt')
    const headers = join(directory, 'headers.properties')
    writeFileSync(file, Array.from({ length: 12 }, (_, index) => `${index}\n`).join(''))
    writeFileSync(headers, '# for all\nhost = web-1\nkind: test\n')
    const { code, stderr } = await client(['-F', file, '-R', headers])
    assert.equal(code, 0, stderr)
    assert.equal(receiver.events.length, 12)
    assert.deepEqual({ ...receiver.events[11]?.headers }, { host: 'web-1', kind: 'test' })
  })

  it('sends the files of a folder, the oldest first, and renames each', async () => {
    const spool = temporaryDirectory()
    for (const [name, age] of [
      ['b', 20],
      ['a', 10],
    ] as const) {
      writeFileSync(join(spool, name), `${name}1\n${name}2\n`)
      utimesSync(join(spool, name), Date.now() / 1_000 - age, Date.now() / 1_000 - age)
    }
    writeFileSync(join(spool, '.hidden'), 'x\n')
    writeFileSync(join(spool, 'c.COMPLETED'), 'x\n')
    const { code, stderr } = await client(['--dirname', spool])
    assert.equal(code, 0, stderr)
    assert.deepEqual(texts(), ['b1', 'b2', 'a1', 'a2'])
    assert.deepEqual(readdirSync(spool).sort(), [
      '.hidden',
      'a.COMPLETED',
      'b.COMPLETED',
      'c.COMPLETED',
    ])
  })

  it('finds the source in a file of RPC client properties', async () => {
    const file = join(directory, 'client.properties')
    writeFileSync(file, `hosts = h1\nhosts.h1 = 127.0.0.1:${receiver.port}\n`)
    const { code, stderr } = await runMillrace(['avro-client', '-P', file], { stdin: 'one\n' })
    assert.equal(code, 0, stderr)
    assert.deepEqual(texts(), ['one'])
  })

  it('cuts a line that is longer than 1 MiB into several events', async () => {
    const { code, stderr } = await client([], `${'x'.repeat(2_500_000)}\nend`)
    assert.equal(code, 0, stderr)
    assert.deepEqual(
      texts().map((text) => text.length),
      [1_048_576, 1_048_576, 2_500_000 - 2 * 1_048_576, 3],
    )
  })

  it('fails, and leaves the file as it is, when not every event was accepted', async () => {
    const spool = temporaryDirectory()
    writeFileSync(join(spool, 'a'), '1\n2\n')
    receiver.failNext(1)
    const { code, stderr } = await client(['--dirname', spool])
    assert.equal(code, 1)
    assert.match(stderr, /^millrace avro-client: .*; 0 events were accepted before\n$/)
    assert.deepEqual(readdirSync(spool), ['a'])
  })

  it('fails when nobody listens', async () => {
    const { code, stderr } = await runMillrace(
      ['avro-client', '-H', '127.0.0.1', '-p', String(await freePort())],
      { stdin: 'x' },
    )
    assert.equal(code, 1)
    assert.match(stderr, /ECONNREFUSED/)
  })

  it('exits with 2 for bad usage and files that cannot be read', async () => {
    const cases = [
      ['-F', join(directory, 'none')],
      ['-F', directory],
      ['--dirname', join(directory, 'none')],
      ['-R', join(directory, 'none')],
      ['-F', 'a', '--dirname', 'b'],
      ['--batch-size', '0'],
    ]
    await inTwos(cases, async (words) => {
      const { code, stderr } = await client(words)
      assert.deepEqual([code, stderr.split('\n').length], [2, 2], stderr)
    })
    assert.equal((await runMillrace(['avro-client', '-H', 'x'])).code, 2)
  })
})
