import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { avroSource } from '@millrace/agent-core/internal/sources/avro'
import {
  AvroSource,
  type AvroSourceOptions,
} from '@millrace/agent-core/internal/sources/avro-source'
import { AvroRpcClient, AvroRpcConnection, type ClientTlsOptions } from '@millrace/rpc'
import { FakeClock } from '@millrace/testkit'
import { ChannelError, deferred, silentLogger, systemClock } from '@millrace/runtime'
import { testCertificates } from '../../support/certificates.js'
import { writeJks, writePkcs12 } from '../../support/java-stores.js'
import { batchOf, type SourceContext, sourceContext } from '../../support/component-context.js'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { until } from '../../support/until.js'

const DEFAULTS: AvroSourceOptions = {
  bind: '127.0.0.1',
  port: 0,
  compression: 'none',
  ssl: false,
  keystore: undefined,
  keystorePassword: undefined,
  truststore: undefined,
  truststorePassword: undefined,
  includeProtocols: [],
  excludeProtocols: ['SSLv3'],
  includeCipherSuites: [],
  excludeCipherSuites: [],
  clientAuth: 'none',
  ipFilter: false,
  ipFilterRules: [],
  clientEventsPerSecond: 0,
  clientBytesPerSecond: 0,
  clientConnections: 0,
}
const STOP = { deadlineMs: 2_000 }
const HOST = { logger: silentLogger, clock: systemClock }

describe('avro source', () => {
  const closers: (() => Promise<void>)[] = []

  async function start(
    options: Partial<AvroSourceOptions> = {},
  ): Promise<{ source: AvroSource; context: SourceContext; port: number }> {
    const source = new AvroSource({ ...DEFAULTS, ...options }, HOST)
    const context = sourceContext()
    await source.start(context)
    closers.push(() => source.stop({ deadlineMs: 0 }))
    return { source, context, port: source.port ?? 0 }
  }

  function client(
    port: number,
    options: { tls?: ClientTlsOptions; compression?: 'deflate' } = {},
  ): AvroRpcClient {
    const made = new AvroRpcClient({ host: '127.0.0.1', port, ...options })
    closers.unshift(() => made.close())
    return made
  }

  afterEach(async () => {
    for (const close of closers.splice(0)) await close()
  })

  it('stores a batch and counts it as Flume does', async () => {
    const { context, port } = await start()
    const sender = client(port)
    await sender.appendBatch(batchOf('a', 'b', 'c'))
    await sender.append(batchOf('d'))
    assert.deepEqual(context.channel.texts, ['a', 'b', 'c', 'd'])
    const { counters } = context
    assert.deepEqual([counters.appendReceivedCount, counters.appendAcceptedCount], [1, 1])
    assert.deepEqual([counters.appendBatchReceivedCount, counters.appendBatchAcceptedCount], [1, 1])
    assert.deepEqual([counters.eventReceivedCount, counters.eventAcceptedCount], [4, 4])
    assert.equal(counters.openConnectionCount, 1)
    await sender.close()
    await until(() => counters.openConnectionCount === 0, { what: 'the connection is counted off' })
  })

  for (const code of ['MILLRACE_CHANNEL_FULL', 'MILLRACE_CHANNEL_TRANSACTION_TOO_LARGE'] as const) {
    it(`answers FAILED on ${code}, stays up, and takes the events when they come again`, async () => {
      const { context, port } = await start()
      const other = client(port)
      await other.appendBatch(batchOf('before'))
      context.channel.beforePut = (batch) => {
        if (batch.size > 1) throw new ChannelError(code, 'refused')
      }
      const refused = client(port)
      await assert.rejects(refused.appendBatch(batchOf('x', 'y')), {
        code: 'MILLRACE_RPC_REMOTE_FAILED',
      })
      await other.appendBatch(batchOf('meanwhile'))
      context.channel.beforePut = () => {}
      await client(port).appendBatch(batchOf('x', 'y'))
      assert.deepEqual(context.channel.texts, ['before', 'meanwhile', 'x', 'y'])
      const { counters } = context
      assert.equal(counters.channelWriteFail, 1)
      assert.deepEqual([counters.eventReceivedCount, counters.eventAcceptedCount], [6, 4])
      assert.deepEqual(
        [counters.appendBatchReceivedCount, counters.appendBatchAcceptedCount],
        [4, 3],
      )
    })
  }

  it('answers FAILED when an interceptor breaks', async () => {
    const { context, port } = await start()
    context.channel.beforePut = () => {
      throw new TypeError('interceptor')
    }
    await assert.rejects(client(port).appendBatch(batchOf('x')), {
      code: 'MILLRACE_RPC_REMOTE_FAILED',
    })
    assert.equal(context.counters.channelWriteFail, 1)
  })

  it('answers only after the channel has the events, and in order', async () => {
    const { context, port } = await start()
    const gates = [deferred<void>(), deferred<void>(), deferred<void>()]
    let calls = 0
    context.channel.beforePut = () => {
      calls += 1
      return gates[calls - 1]?.promise
    }
    const connection = new AvroRpcConnection({ host: '127.0.0.1', port })
    closers.unshift(() => connection.close())
    await connection.connect({ timeoutMs: 2_000 })
    const answered: string[] = []
    const sent = ['1', '2', '3'].map((body) =>
      connection
        .call('appendBatch', batchOf(body), { timeoutMs: 5_000 })
        .then(() => answered.push(body)),
    )
    await until(() => calls === 1, { what: 'the first call' })
    assert.deepEqual(answered, [])
    gates[0]?.resolve()
    await sent[0]
    // The later ones are under way together, and the last is stored first.
    await until(() => calls === 3, { what: 'the pipelined calls' })
    gates[2]?.resolve()
    gates[1]?.resolve()
    await Promise.all(sent)
    assert.deepEqual(answered, ['1', '2', '3'])
  })

  it('answers what it holds when it is stopped, and then closes', async () => {
    const { source, context, port } = await start()
    const gate = deferred<void>()
    let calls = 0
    context.channel.beforePut = () => {
      calls += 1
      return gate.promise
    }
    const sent = client(port).appendBatch(batchOf('held'))
    await until(() => calls === 1, { what: 'the call' })
    const stopped = source.stop(STOP)
    gate.resolve()
    await sent
    await stopped
    await assert.rejects(client(port).appendBatch(batchOf('late')), {
      code: 'MILLRACE_RPC_CONNECT',
    })
    assert.deepEqual(context.channel.texts, ['held'])
  })

  it('names the address that is in use, and starts when it is free', async () => {
    const blocker = createServer().listen(0, '127.0.0.1')
    await once(blocker, 'listening')
    const address = blocker.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const source = new AvroSource({ ...DEFAULTS, port }, HOST)
    await assert.rejects(source.start(sourceContext()), {
      code: 'MILLRACE_LIFECYCLE_START_FAILED',
      message: new RegExp(`127\\.0\\.0\\.1:${port}.*EADDRINUSE`),
    })
    await source.stop(STOP)
    blocker.close()
    await once(blocker, 'close')
    await source.start(sourceContext())
    assert.equal(source.port, port)
    await source.stop(STOP)
  })

  it('closes a peer that its ipFilter denies, and lets others in', async () => {
    const denied = await start({ ipFilter: true, ipFilterRules: ['deny:ip:127.0.0.1'] })
    const socket = connect({ host: '127.0.0.1', port: denied.port })
    socket.on('error', () => {})
    socket.resume()
    await once(socket, 'close')
    await assert.rejects(client(denied.port).appendBatch(batchOf('x')), { retryable: true })
    assert.deepEqual(denied.context.channel.texts, [])
    const ipFilterRules = ['allow:name:localhost', 'deny:ip:*']
    const allowed = await start({ ipFilter: true, ipFilterRules })
    await client(allowed.port).appendBatch(batchOf('x'))
    assert.deepEqual(allowed.context.channel.texts, ['x'])
  })

  it('answers FAILED beyond the quotas of a client, and closes connections beyond them', async () => {
    for (const [limits, code] of [
      [{ clientEventsPerSecond: 1 }, 'MILLRACE_RPC_REMOTE_FAILED'],
      [{ clientBytesPerSecond: 1 }, 'MILLRACE_RPC_REMOTE_FAILED'],
      [{ clientConnections: 1 }, 'MILLRACE_RPC_CLOSED'],
    ] as const) {
      const { context, port } = await start(limits)
      await client(port).appendBatch(batchOf('x', 'y'))
      await assert.rejects(client(port).appendBatch(batchOf('again')), { code })
      assert.deepEqual(context.channel.texts, ['x', 'y'])
    }
  })

  it('speaks deflate', async () => {
    const { context, port } = await start({ compression: 'deflate' })
    await client(port, { compression: 'deflate' }).appendBatch(batchOf('x'.repeat(5_000)))
    assert.equal(context.channel.texts[0]?.length, 5_000)
  })

  describe('with TLS', () => {
    const { authority, server, client: clientCertificate, stranger } = testCertificates()
    const trusting = { ca: authority.cert }
    const keystore = server.writeStore()
    const truststore = authority.writeCertificate()

    it('takes key and chain from one PEM file', async () => {
      const { context, port } = await start({ ssl: true, keystore })
      await client(port, { tls: trusting }).appendBatch(batchOf('secret'))
      assert.deepEqual(context.channel.texts, ['secret'])
      await assert.rejects(client(port, { tls: { ca: stranger.cert } }).appendBatch(batchOf('x')))
    })

    it('opens an encrypted key with keystore-password', async () => {
      const encrypted = server.writeStore('open sesame')
      const options = { ssl: true, keystore: encrypted, keystorePassword: 'open sesame' }
      const { context, port } = await start(options)
      await client(port, { tls: trusting }).appendBatch(batchOf('x'))
      assert.deepEqual(context.channel.texts, ['x'])
      const wrong = new AvroSource({ ...DEFAULTS, ...options, keystorePassword: 'wrong' }, HOST)
      await assert.rejects(wrong.start(sourceContext()), {
        code: 'MILLRACE_LIFECYCLE_START_FAILED',
        message: /keystore .*store\.pem cannot be used/,
      })
    })

    it('asks for no client certificate unless client-auth says so', async () => {
      const { port } = await start({ ssl: true, keystore, truststore })
      await client(port, { tls: trusting }).appendBatch(batchOf('x'))
    })

    it('needs a good client certificate with client-auth = need', async () => {
      const { context, port } = await start({ ssl: true, keystore, truststore, clientAuth: 'need' })
      const { key, cert } = clientCertificate
      await client(port, { tls: { ...trusting, key, cert } }).appendBatch(batchOf('known'))
      await assert.rejects(client(port, { tls: trusting }).appendBatch(batchOf('nobody')))
      const foreign = { ...trusting, key: stranger.key, cert: stranger.cert }
      await assert.rejects(client(port, { tls: foreign }).appendBatch(batchOf('stranger')))
      assert.deepEqual(context.channel.texts, ['known'])
    })

    it('does without a client certificate with client-auth = want', async () => {
      const { context, port } = await start({ ssl: true, keystore, truststore, clientAuth: 'want' })
      await client(port, { tls: trusting }).appendBatch(batchOf('nobody'))
      const { key, cert } = clientCertificate
      await client(port, { tls: { ...trusting, key, cert } }).appendBatch(batchOf('known'))
      assert.deepEqual(context.channel.texts, ['nobody', 'known'])
    })

    it('takes a JKS and a PKCS12 store, whatever keystore-type says', async () => {
      for (const path of [writeJks('changeit', server), writePkcs12('changeit', server)]) {
        const { port } = await start({ ssl: true, keystore: path, keystorePassword: 'changeit' })
        await client(port, { tls: trusting }).appendBatch(batchOf('x'))
      }
    })

    it('speaks the protocols and suites that are included and not excluded', async () => {
      const spoken = async (lists: Partial<AvroSourceOptions>, tls: ClientTlsOptions = {}) => {
        const { port } = await start({ ssl: true, keystore, ...lists })
        const socket = connectTls({
          port,
          host: '127.0.0.1',
          ca: authority.cert,
          ...(tls as object),
        })
        return new Promise<string>((resolve) => {
          socket.once('secureConnect', () => {
            resolve(`${socket.getProtocol()} ${socket.getCipher().name}`)
            socket.destroy()
          })
          socket.once('error', () => resolve('refused'))
        })
      }
      assert.match(await spoken({}), /^TLSv1.3 /)
      assert.match(await spoken({ excludeProtocols: ['SSLv3', 'TLSv1.3'] }), /^TLSv1.2 /)
      assert.match(await spoken({ includeProtocols: ['TLSv1.3'] }), /^TLSv1.3 /)
      const old = { maxVersion: 'TLSv1.2' } as const
      assert.equal(await spoken({ includeProtocols: ['TLSv1.3'] }, old), 'refused')
      const suite = 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'
      assert.equal(
        await spoken({ includeCipherSuites: [suite] }),
        'TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384',
      )
      assert.notEqual(
        await spoken({ excludeCipherSuites: ['TLS_AES_256_GCM_SHA384'] }),
        'TLSv1.3 TLS_AES_256_GCM_SHA384',
      )
      assert.doesNotMatch(await spoken({ excludeCipherSuites: [suite] }, old), /AES256-GCM-SHA384/)
    })

    it('gives connections the certificates that are in the file by then', async () => {
      const clock = new FakeClock()
      const path = server.writeStore()
      const source = new AvroSource(
        { ...DEFAULTS, ssl: true, keystore: path },
        { logger: silentLogger, clock },
      )
      await source.start(sourceContext())
      const certificateOf = () =>
        new Promise<string>((resolve, reject) => {
          const socket = connectTls({ port: source.port ?? 0, rejectUnauthorized: false }, () => {
            resolve(String(socket.getPeerCertificate().subject.CN))
            socket.destroy()
          })
          socket.once('error', reject)
        })
      assert.equal(await certificateOf(), 'server')
      writeFileSync(path, 'half a file')
      await clock.advance(10_000)
      assert.equal(await certificateOf(), 'server')
      writeFileSync(path, stranger.key + stranger.cert)
      await until(
        async () => {
          await clock.advance(10_000)
          return (await certificateOf()) === 'stranger'
        },
        { what: 'the new certificate' },
      )
      await source.stop(STOP)
    })

    it('says what a key store is that it cannot read', async () => {
      const directory = temporaryDirectory()
      const file = (name: string, bytes: Buffer) => {
        writeFileSync(join(directory, name), bytes)
        return join(directory, name)
      }
      for (const [path, reason] of [
        [file('a.jks', Buffer.from('feedfeed00000002', 'hex')), /it is a damaged JKS store/],
        [
          file('a.p12', Buffer.from('30820a00', 'hex')),
          /it is a damaged PKCS12 store, or its password is another one/,
        ],
        [file('a.txt', Buffer.from('hello')), /it is neither PEM nor JKS nor PKCS12/],
        [file('c.pem', Buffer.from(server.cert)), /it holds no private key/],
        [file('k.pem', Buffer.from(server.key)), /it holds no certificate/],
        [file('m.pem', Buffer.from(stranger.key + server.cert)), /cannot be used: .*mismatch/],
        [join(directory, 'missing'), /ENOENT/],
      ] as const) {
        const source = new AvroSource({ ...DEFAULTS, ssl: true, keystore: path }, HOST)
        await assert.rejects(source.start(sourceContext()), (error: Error) => {
          assert.ok(error.message.includes(path), error.message)
          assert.match(error.message, reason)
          return true
        })
      }
    })
  })
})

describe('avro source options', () => {
  type Options = Parameters<NonNullable<typeof avroSource.check>>[0]
  const defaults = Object.fromEntries(
    Object.entries(avroSource.options).map(([name, spec]) => [name, spec.fallback]),
  ) as unknown as Options
  const findings = (given: Partial<Options>) =>
    avroSource
      .check?.({ ...defaults, ...given }, { channels: [], sinks: [] })
      .map(({ key, code, severity }) => `${severity ?? 'error'} ${code ?? 'INVALID'} ${key}`)

  it('are good as they are', () => {
    assert.deepEqual(findings({}), [])
  })

  it('need a key store with ssl, and a trust store with client-auth', () => {
    assert.deepEqual(findings({ ssl: true, clientAuth: 'need' }), [
      'error MILLRACE_CONFIG_MISSING keystore',
      'error MILLRACE_CONFIG_MISSING truststore',
    ])
  })

  it('take JKS, PKCS12 and PEM stores and refuse others by name, with ssl only', () => {
    for (const type of ['BCFKS', 'JCEKS']) {
      const given = { keystore: 'k', keystoreType: type, truststoreType: type }
      assert.deepEqual(findings({ ...given, ssl: true }), [
        'error MILLRACE_CONFIG_UNSUPPORTED keystore-type',
        'error MILLRACE_CONFIG_UNSUPPORTED truststore-type',
      ])
      assert.deepEqual(findings(given), [])
    }
    for (const keystoreType of ['pem', 'JKS', 'pkcs12', undefined]) {
      assert.deepEqual(findings({ ssl: true, keystore: 'k', keystoreType }), [])
    }
  })

  it('tell what their lists of protocols and suites leave out', () => {
    const given = { ssl: true, keystore: 'k' }
    assert.deepEqual(findings({ ...given, includeProtocols: ['TLSv1'] }), [
      'warning MILLRACE_CONFIG_NO_EFFECT include-protocols',
      'error INVALID include-protocols',
    ])
    assert.deepEqual(findings({ ...given, excludeProtocols: ['TLSv1', 'TLS1.3'] }), [
      'warning MILLRACE_CONFIG_NO_EFFECT exclude-protocols',
    ])
    assert.deepEqual(findings({ ...given, includeCipherSuites: ['TLS_NO_SUCH'] }), [
      'warning MILLRACE_CONFIG_NO_EFFECT include-cipher-suites',
      'error INVALID include-cipher-suites',
    ])
    assert.deepEqual(
      findings({
        ...given,
        includeProtocols: ['TLSv1.3'],
        includeCipherSuites: ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'],
      }),
      ['error INVALID include-cipher-suites'],
    )
    assert.deepEqual(findings({ ...given, excludeCipherSuites: ['TLS_AES_128_GCM_SHA256'] }), [])
  })

  it('warn of client-auth without ssl', () => {
    assert.deepEqual(findings({ clientAuth: 'need' }), [
      'warning MILLRACE_CONFIG_NO_EFFECT client-auth',
    ])
  })

  it('need rules that can be read with ipFilter', () => {
    assert.deepEqual(findings({ ipFilter: true }), ['error MILLRACE_CONFIG_MISSING ipFilterRules'])
    assert.deepEqual(findings({ ipFilter: true, ipFilterRules: ['allow:ip:*', 'deny', 'x:y:z'] }), [
      'error INVALID ipFilterRules',
      'error INVALID ipFilterRules',
    ])
    assert.deepEqual(findings({ ipFilterRules: ['deny'] }), [])
  })
})
