import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { FaultProxy, type FaultProxyOptions } from '@millrace/testkit'
import { until } from '../../support/until.js'

/** What one side has got. */
class Side {
  readonly socket: Socket
  readonly chunks: Buffer[] = []
  isEnded = false
  isClosed = false
  error: NodeJS.ErrnoException | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.chunks.push(chunk))
    socket.on('end', () => {
      this.isEnded = true
    })
    socket.on('close', () => {
      this.isClosed = true
    })
    socket.on('error', (error) => {
      this.error = error
    })
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString()
  }

  got(text: string): Promise<true> {
    return until(() => this.text === text, { what: () => `${text}, not ${this.text}` })
  }
}

describe('FaultProxy', () => {
  let server: Server
  let servers: Side[]
  let clients: Side[]
  let proxy: FaultProxy

  beforeEach(async () => {
    servers = []
    clients = []
    server = createServer({ allowHalfOpen: true }, (socket) => servers.push(new Side(socket)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    proxy = await start()
  })

  afterEach(async () => {
    await proxy.close()
    await proxy.close()
    for (const { socket } of [...servers, ...clients]) socket.destroy()
    server.close()
  })

  function start(options: Partial<FaultProxyOptions> = {}): Promise<FaultProxy> {
    return FaultProxy.start({ port: (server.address() as AddressInfo).port, ...options })
  }

  async function open(): Promise<{ client: Side; far: Side }> {
    const number = servers.length
    const client = new Side(connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true }))
    clients.push(client)
    await until(() => servers[number], { what: 'the connection at the server' })
    return { client, far: servers[number]! }
  }

  it('passes bytes and ends in both directions', async () => {
    const { client, far } = await open()
    client.socket.write('ping')
    await far.got('ping')
    far.socket.end('pong')
    await client.got('pong')
    await until(() => client.isEnded, { what: 'the end' })
    client.socket.end('bye')
    await far.got('pingbye')
    await until(() => far.isClosed && client.isClosed, { what: 'both closed' })
    await until(() => proxy.connections.length === 0, { what: 'no connection' })
    assert.equal(proxy.acceptedCount, 1)
  })

  for (const chunkBytes of [1, 2, 3, 7]) {
    it(`splits into pieces of ${chunkBytes}`, async () => {
      proxy.toServer = { chunkBytes, delayMs: 1 }
      const { client, far } = await open()
      client.socket.write('abcdefghij')
      await far.got('abcdefghij')
      assert.ok(far.chunks.every((chunk) => chunk.length <= chunkBytes))
    })
  }

  it('merges what comes apart', async () => {
    proxy.toServer = { mergeBytes: 6 }
    const { client, far } = await open()
    for (const text of ['ab', 'cd', 'ef']) {
      assert.equal(far.text, '')
      client.socket.write(text)
      await new Promise(setImmediate)
    }
    await far.got('abcdef')
    assert.equal(far.chunks.length, 1)
    client.socket.end('g')
    await far.got('abcdefg')
  })

  it('delays and throttles', async () => {
    const { client, far } = await open()
    proxy.toServer = { delayMs: 30 }
    const start = performance.now()
    client.socket.write('a')
    await far.got('a')
    assert.ok(performance.now() - start >= 29)
    proxy.toServer = { bytesPerSecond: 100, chunkBytes: 1 }
    client.socket.write('bcde')
    await far.got('abcde')
    assert.ok(performance.now() - start >= 65)
  })

  it('swallows a direction and leaves the other alone', async () => {
    const { client, far } = await open()
    proxy.toServer = { swallow: true }
    client.socket.write('lost')
    far.socket.write('heard')
    await client.got('heard')
    proxy.toServer = {}
    await until(
      () => {
        client.socket.write('.')
        return far.text !== ''
      },
      { what: 'bytes after the fault' },
    )
    assert.match(far.text, /^\.+$/)
  })

  it('takes nothing as a blackhole, so that the sender must wait', async () => {
    proxy.toServer = { blackhole: true }
    const { client, far } = await open()
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    let drained = 0
    const write = () => client.socket.write(chunk, () => (drained += 1))
    for (let i = 0; i < 32; i += 1) write()
    let before = -1
    await until(
      () => {
        const isStill = drained === before
        before = drained
        return isStill && drained < 32
      },
      { what: 'the sender to stand still' },
    )
    assert.equal(far.text, '')
    proxy.toServer = {}
    await until(() => drained === 32, { what: 'the rest to be taken' })
  })

  for (const cut of ['reset', 'close', 'half-close'] as const) {
    it(`cuts after some bytes: ${cut}`, async () => {
      proxy.toServer = { cutAfterBytes: 5, cut }
      const { client, far } = await open()
      client.socket.write('abc')
      client.socket.write('defgh')
      await until(() => far.isEnded || far.isClosed, { what: 'the cut' })
      assert.equal(far.text, 'abcde')
      if (cut === 'half-close') {
        far.socket.write('still here')
        await client.got('still here')
        return
      }
      far.socket.end()
      await until(() => client.isEnded || client.isClosed, { what: 'the cut at the client' })
      assert.equal(client.error?.code, cut === 'reset' ? 'ECONNRESET' : undefined)
    })
  }

  it('cuts before the first byte', async () => {
    proxy.toServer = { cutAfterBytes: 0 }
    const { client, far } = await open()
    client.socket.write('abc')
    await until(() => far.isClosed, { what: 'the cut' })
    assert.equal(far.text, '')
  })

  it('refuses connections while it is told to', async () => {
    proxy.refuse = true
    const client = new Side(connect(proxy.port, '127.0.0.1'))
    clients.push(client)
    await until(() => client.isClosed, { what: 'the refusal' })
    assert.equal(servers.length, 0)
    proxy.refuse = false
    await open()
  })

  it('is told what to do for each connection', async () => {
    await proxy.close()
    proxy = await start({
      onConnection: (connection, index) => {
        if (index === 0) connection.toServer = { cutAfterBytes: 1 }
      },
    })
    const first = await open()
    const second = await open()
    first.client.socket.write('abc')
    second.client.socket.write('abc')
    await until(() => first.client.isClosed, { what: 'the cut' })
    await second.far.got('abc')
  })

  it('resets, closes and half-closes one connection on demand', async () => {
    const [a, b, c] = [await open(), await open(), await open()]
    const [first, second, third] = proxy.connections
    first?.reset()
    await until(() => a.client.error && a.far.isClosed, { what: 'the reset' })
    second?.close()
    await until(() => b.client.isEnded && b.far.isEnded, { what: 'the close' })
    third?.halfClose('server')
    await until(() => c.far.isEnded, { what: 'the half-close' })
    c.far.socket.write('late')
    await c.client.got('late')
  })

  it('passes a reset of one side on to the other', async () => {
    const { client, far } = await open()
    client.socket.resetAndDestroy()
    await until(() => far.isClosed, { what: 'the reset' })
    assert.equal(far.error?.code, 'ECONNRESET')
  })

  it('closes the client when nobody listens behind it', async () => {
    const address = server.address() as AddressInfo
    server.close()
    const client = new Side(connect(proxy.port, '127.0.0.1'))
    clients.push(client)
    await until(() => client.isClosed, { what: 'the end' })
    assert.ok(address.port > 0)
  })
})
