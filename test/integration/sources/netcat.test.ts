import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { NetcatSource, netcatSource } from '@millrace/agent-core/internal/sources/netcat'
import { ChannelError, deferred, silentLogger, systemClock } from '@millrace/runtime'
import { keptLogger, type SourceContext, sourceContext } from '../../support/component-context.js'
import { LineClient } from '../../support/line-client.js'
import { until } from '../../support/until.js'

const DEFAULTS = {
  bind: '127.0.0.1',
  port: 0,
  maxLineLength: 512,
  ackEveryEvent: true,
  encoding: 'utf-8',
}
const STOP = { deadlineMs: 2_000 }

describe('netcat source', () => {
  const started: NetcatSource[] = []

  async function start(
    options: Partial<typeof DEFAULTS> = {},
  ): Promise<{ source: NetcatSource; context: SourceContext; client: LineClient }> {
    const host = { logger: silentLogger, clock: systemClock }
    const source = new NetcatSource({ ...DEFAULTS, ...options }, host)
    const context = sourceContext()
    await source.start(context)
    started.push(source)
    return { source, context, client: await LineClient.connect(source.port ?? 0) }
  }

  afterEach(async () => {
    await Promise.all(started.splice(0).map((source) => source.stop({ deadlineMs: 0 })))
  })

  it('stores each line as an event and answers OK to each', async () => {
    const { context, client } = await start()
    client.send('one\n\ntwo\r\ngr')
    client.send('ün\n')
    await client.told('OK\nOK\nOK\nOK\n')
    assert.deepEqual(context.channel.texts, ['one', '', 'two\r', 'grün'])
    assert.deepEqual(context.channel.events[0]?.headers, {})
    assert.equal(client.text, 'OK\nOK\nOK\nOK\n')
  })

  it('answers only after the channel has the line', async () => {
    const { context, client } = await start()
    const gate = deferred<void>()
    context.channel.beforePut = () => gate.promise
    let asked = 0
    const deliver = context.channel.beforePut
    context.channel.beforePut = (batch, signal) => {
      asked += 1
      return deliver(batch, signal)
    }
    client.send('one\n')
    await until(() => asked === 1, { what: 'the line is delivered' })
    assert.equal(client.text, '')
    gate.resolve()
    await client.told('OK\n')
  })

  it('says nothing of stored lines when ack-every-event is false, but of refused ones', async () => {
    const { context, client } = await start({ ackEveryEvent: false })
    context.channel.beforePut = (batch) => {
      if (batch.bodyAt(0).toString() === 'bad')
        throw new ChannelError('MILLRACE_CHANNEL_FULL', 'The channel\nis full')
    }
    client.send('good\n')
    await until(() => context.channel.texts.length === 1, { what: 'the line is stored' })
    client.send('bad\n')
    await client.told('FAILED: The channel is full\n')
    assert.equal(client.text, 'FAILED: The channel is full\n')
  })

  it('answers FAILED to a refused line only, and goes on', async () => {
    const { context, client } = await start()
    context.channel.beforePut = (batch) => {
      for (const event of batch.events()) {
        if (event.body.toString() === 'bad') throw new ChannelError('MILLRACE_CHANNEL_FULL', 'full')
      }
    }
    client.send('a\nb\nbad\nc\nbad\n')
    await client.told('OK\nOK\nFAILED: full\nOK\nFAILED: full\n')
    assert.equal(client.text, 'OK\nOK\nFAILED: full\nOK\nFAILED: full\n')
    assert.deepEqual(context.channel.texts, ['a', 'b', 'c'])
  })

  it('puts fewer lines at once into a channel that takes few', async () => {
    const { context, client } = await start()
    context.channel.beforePut = (batch) => {
      if (batch.size > 7)
        throw new ChannelError('MILLRACE_CHANNEL_TRANSACTION_TOO_LARGE', 'too large')
    }
    const lines = Array.from({ length: 500 }, (_, i) => `line ${i}`)
    client.send(lines.map((line) => `${line}\n`).join(''))
    await client.told('OK\n'.repeat(500))
    assert.deepEqual(context.channel.texts, lines)
  })

  it('answers and closes on a line that is too long, after the lines before it', async () => {
    const { context, client } = await start({ maxLineLength: 8 })
    client.send('1234567\n12345678\nnever\n')
    await client.closed()
    assert.equal(
      client.text,
      'OK\nFAILED: Event exceeds the maximum length (8 chars, including newline)\n',
    )
    assert.deepEqual(context.channel.texts, ['1234567'])
  })

  it('counts characters, not bytes, and notices an endless line without its newline', async () => {
    const { context, client } = await start({ maxLineLength: 8 })
    client.send('äöüäöüä\n')
    await client.told('OK\n')
    client.send('x'.repeat(8))
    await client.closed()
    assert.match(client.text, /^OK\nFAILED: Event exceeds/)
    assert.deepEqual(context.channel.texts, ['äöüäöüä'])
  })

  it('discards text without a newline at the end, and answers lines sent just before it', async () => {
    const { context, client } = await start()
    client.send('whole\nhalf')
    client.end()
    await client.closed()
    assert.equal(client.text, 'OK\n')
    assert.deepEqual(context.channel.texts, ['whole'])
  })

  it('closes on bytes that are no text, and other connections go on', async () => {
    const { source, context, client } = await start()
    const other = await LineClient.connect(source.port ?? 0)
    client.send(Buffer.from([0x61, 0xff, 0x0a]))
    await client.closed()
    assert.equal(client.text, '')
    other.send('still here\n')
    await other.told('OK\n')
    assert.deepEqual(context.channel.texts, ['still here'])
    other.socket.destroy()
  })

  it('stores and answers the lines before bytes that are no text', async () => {
    for (const encoding of ['utf-8', 'US-ASCII']) {
      const { context, client } = await start({ encoding })
      client.send(Buffer.from([0x30]))
      client.send(Buffer.from('\none\ntwo\nb\u00ffd\nnever\n', 'latin1'))
      await client.closed()
      assert.equal(client.text, 'OK\nOK\nOK\n')
      assert.deepEqual(context.channel.texts, ['0', 'one', 'two'])
    }
  })

  it('takes UTF-8 in pieces that end anywhere, and nothing that is no UTF-8', async () => {
    const { context, client } = await start()
    const line = '\ufeffgrüße ☃ 𝄞 \u{10ffff}'
    for (const octet of Buffer.from(`${line}\n`)) client.send(Buffer.from([octet]))
    await client.told('OK\n')
    assert.deepEqual(context.channel.texts, [line])
    for (const bad of ['c080', 'eda080', 'f4908080', 'e280', 'f09d84', '80', 'f5']) {
      const other = await start()
      other.client.send(Buffer.from(`780a${bad}0a`, 'hex'))
      await other.client.closed()
      assert.equal(other.client.text, 'OK\n', bad)
    }
  })

  it('reads and answers in the character set of encoding', async () => {
    for (const [encoding, sent, ok] of [
      ['ISO-8859-1', Buffer.from([0xe4, 0x80, 0x0a]), Buffer.from('OK\n')],
      ['UTF-16', Buffer.from('feff00e40080000a', 'hex'), Buffer.from('004f004b000a', 'hex')],
      ['UTF-16LE', Buffer.from('e40080000a00', 'hex'), Buffer.from('4f004b000a00', 'hex')],
    ] as const) {
      const { context, client } = await start({ encoding })
      for (const byte of sent) client.send(Buffer.from([byte]))
      await until(() => client.bytes.length >= ok.length, { what: `an answer in ${encoding}` })
      assert.deepEqual(client.bytes, ok)
      assert.deepEqual(context.channel.texts, ['ä\u0080'])
      client.socket.destroy()
    }
  })

  it('does not read ahead of a channel that waits', async () => {
    const { context, client } = await start()
    const gate = deferred<void>()
    let puts = 0
    context.channel.beforePut = () => {
      puts += 1
      return gate.promise
    }
    const text = 'x'.repeat(99)
    const line = `${text}\n`
    const chunk = line.repeat(10_000)
    let sent = 0
    while (sent < 100 && client.socket.write(chunk)) sent += 1
    for (; sent < 100; sent += 1) client.socket.write(chunk)
    await until(() => puts === 1, { what: 'the first put' })
    // 100 MB are on their way; what the source has not read stays with the client.
    await until(() => client.socket.writableLength > 50_000_000, { what: 'the client is held up' })
    assert.equal(puts, 1)
    client.socket.destroy()
    gate.resolve()
  })

  it('does not read on while a client takes no answers, and serves the others', async () => {
    const { source, context, client } = await start()
    client.socket.pause()
    const lines = 2_000_000
    const chunk = '\n'.repeat(10_000)
    for (let sent = 0; sent < lines; sent += 10_000) client.send(chunk)
    // Six megabytes of answers do not fit between the two; what is not answered is not read.
    await until(
      async () => {
        const before = context.channel.batches.length
        for (let turn = 0; turn < 50; turn += 1) await new Promise((done) => setImmediate(done))
        return before > 0 && context.channel.batches.length === before
      },
      { what: 'the source waits for the client', timeoutMs: 15_000 },
    )
    assert.ok(context.channel.batches.length < lines / 100, 'not all lines are read')
    const other = await LineClient.connect(source.port ?? 0)
    other.send('hello\n')
    await other.told('OK\n')
    other.socket.destroy()
    client.socket.destroy()
  })

  it('goes on when a client vanishes while its lines are stored', async () => {
    const { source, context, client } = await start()
    const gate = deferred<void>()
    let puts = 0
    context.channel.beforePut = () => {
      puts += 1
      return gate.promise
    }
    client.send('one\ntwo\n')
    await until(() => puts === 1, { what: 'the put' })
    client.socket.resetAndDestroy()
    gate.resolve()
    const other = await LineClient.connect(source.port ?? 0)
    other.send('three\n')
    await other.told('OK\n')
    assert.deepEqual(context.channel.texts, ['one', 'two', 'three'])
    other.socket.destroy()
  })

  it('answers what it holds when it is stopped, and closes', async () => {
    const { source, context, client } = await start()
    const gate = deferred<void>()
    let puts = 0
    context.channel.beforePut = () => {
      puts += 1
      return gate.promise
    }
    const idle = await LineClient.connect(source.port ?? 0)
    client.send('held\n')
    await until(() => puts === 1, { what: 'the put' })
    const stopping = source.stop(STOP)
    gate.resolve()
    await stopping
    await client.closed()
    await idle.closed()
    assert.equal(client.text, 'OK\n')
    assert.deepEqual(context.channel.texts, ['held'])
  })

  it('gives up at the deadline of its stop, without an answer', async () => {
    const { source, context, client } = await start()
    let puts = 0
    context.channel.beforePut = (_batch, signal) =>
      new Promise((_resolve, reject) => {
        puts += 1
        signal?.addEventListener('abort', () => reject(new Error('aborted')))
      })
    client.send('held\n')
    await until(() => puts === 1, { what: 'the put' })
    await source.stop({ deadlineMs: 20 })
    await client.closed()
    assert.equal(client.text, '')
  })

  it('says which address is in use, and starts when it is free', async () => {
    const blocker = createServer().listen(0, '127.0.0.1')
    await once(blocker, 'listening')
    const address = blocker.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const host = { logger: silentLogger, clock: systemClock }
    const source = new NetcatSource({ ...DEFAULTS, port }, host)
    await assert.rejects(source.start(sourceContext()), (error: Error) => {
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}.*EADDRINUSE`))
      return Reflect.get(error, 'code') === 'MILLRACE_LIFECYCLE_START_FAILED'
    })
    await source.stop(STOP)
    blocker.close()
    await once(blocker, 'close')
    await source.start(sourceContext())
    started.push(source)
    assert.equal(source.port, port)
  })

  it('refuses an unknown encoding when it is checked', () => {
    const wiring = { channels: [], sinks: [] }
    const options = { ...DEFAULTS, encoding: 'klingon' }
    assert.deepEqual(netcatSource.check?.(options, wiring), [
      { key: 'encoding', message: 'klingon is no known character set' },
    ])
    assert.deepEqual(netcatSource.check?.(DEFAULTS, wiring), [])
  })

  it('closes a connection that sends no text of its encoding, and says so in the log', async () => {
    const { logger, lines } = keptLogger()
    const source = new NetcatSource(DEFAULTS, { logger, clock: systemClock })
    await source.start(sourceContext())
    started.push(source)
    const client = await LineClient.connect(source.port ?? 0)
    client.socket.write(Buffer.from('a\u00ffb\n', 'latin1'))
    await until(() => lines.some((line) => /closed 127\.0\.0\.1:\d+.*utf-8/.test(line)), {
      what: 'a line about the client',
    })
    assert.equal(client.text, '')
  })
})
