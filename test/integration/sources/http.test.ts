import assert from 'node:assert/strict'
import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { gzipSync } from 'node:zlib'
import { blobHandler } from '@millrace/agent-core/internal/http-handlers/blob'
import { jsonHandler } from '@millrace/agent-core/internal/http-handlers/json'
import { morphlineBlobHandler } from '@millrace/agent-core/internal/http-handlers/morphline-blob'
import { httpSource } from '@millrace/agent-core/internal/sources/http'
import type { Source } from '@millrace/component'
import { ChannelError } from '@millrace/runtime'
import { createContext, type Settings } from '@millrace/testkit'
import { TestCertificate } from '../../support/certificates.js'
import { sourceContext } from '../../support/component-context.js'
import { freePort } from '../../support/free-port.js'

const HANDLERS = { JSON: jsonHandler, BLOB: blobHandler, MORPHLINE_BLOB: morphlineBlobHandler }

describe('http source', () => {
  let source: Source | undefined
  afterEach(() => source?.stop?.({ deadlineMs: 1_000 }))

  async function start(
    settings: Settings = {},
    handler: keyof typeof HANDLERS = 'JSON',
    handlerSettings: Settings = {},
  ) {
    const port = await freePort()
    const made = createContext(httpSource, { bind: '127.0.0.1', port: String(port), ...settings })
    const definition = HANDLERS[handler]
    const createHttpHandler = () =>
      definition.create(createContext(definition, handlerSettings) as never)
    source = httpSource.create({ ...made, createHttpHandler } as never)
    const context = sourceContext()
    await source.start?.(context)
    const send = (
      body: string | Buffer,
      more: { method?: string; path?: string; headers?: OutgoingHttpHeaders; isTls?: boolean } = {},
    ) =>
      new Promise<{ status: number; text: string }>((resolve, reject) => {
        const { method = 'POST', path = '/', headers = {}, isTls = false } = more
        const options = { host: '127.0.0.1', port, method, path, headers, agent: false }
        const request = isTls
          ? httpsRequest({ ...options, rejectUnauthorized: false })
          : httpRequest(options)
        request.on('response', (response) => {
          let text = ''
          response.on('data', (chunk) => {
            text += String(chunk)
          })
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
        })
        request.on('error', reject).end(body)
      })
    const status = async (...given: Parameters<typeof send>) => (await send(...given)).status
    return { context, send, status, events: () => context.channel.events }
  }

  it('stores the events of a request as one batch, whatever its path', async () => {
    const { status, events, context } = await start()
    const body = '[{"headers":{"a":"b"},"body":"one"},{"body":"grün"},{"headers":null}]'
    assert.equal(await status(body, { path: '/any/path?x=y' }), 200)
    assert.deepEqual(events(), [
      { headers: { a: 'b' }, text: 'one' },
      { headers: {}, text: 'grün' },
      { headers: {}, text: '' },
    ])
    assert.equal(context.channel.batches.length, 1)
    assert.equal(
      await status(body, { method: 'GET', headers: { 'content-length': body.length + 1 } }),
      200,
    )
    assert.equal(await status('[]'), 200)
  })

  it('reads numbers and words as they stand, and JSON as lenient as Gson', async () => {
    const { status, events } = await start()
    const body = `\ufeff[ // comment
      {headers: {'n': 1.50, "t": true, "gone": null}, body: 7e2; other: [1, {}]} ]`
    assert.equal(await status(body), 200)
    assert.deepEqual(events(), [{ headers: { n: '1.50', t: 'true' }, text: '7e2' }])
  })

  it('answers 400 to what is no array of events', async () => {
    const { status, events, context } = await start()
    const bad = [
      '',
      'null',
      '{"body":"x"}',
      '[null]',
      '["x"]',
      '[{"body":"x"}',
      '[{"body":"x"}] x',
      '[{"body":{}}]',
      '[{"headers":{"a":[]},"body":"x"}]',
      '[{"headers":{a:1,a:2}}]',
      '['.repeat(10_000),
    ]
    for (const body of bad) assert.equal(await status(body), 400, body.slice(0, 40))
    assert.deepEqual(events(), [])
    assert.equal(context.counters.eventReadFail, bad.length)
  })

  it('answers 503 to a refused batch, and 500 when something else fails behind it', async () => {
    const { send, context } = await start()
    context.channel.beforePut = () => {
      throw new ChannelError('MILLRACE_CHANNEL_FULL', 'full')
    }
    const refused = await send('[{"body":"x"}]')
    assert.equal(refused.status, 503)
    assert.match(refused.text, /^Error appending event to channel\. Channel might be full\./)
    context.channel.beforePut = () => {
      throw new Error('interceptor')
    }
    assert.equal((await send('[{"body":"x"}]')).status, 500)
    const { channelWriteFail, genericProcessingFail } = context.counters
    assert.deepEqual([channelWriteFail, genericProcessingFail], [1, 1])
  })

  it('answers 405 or 403 to other methods', async () => {
    const { status } = await start()
    for (const method of ['PUT', 'DELETE', 'PATCH', 'HEAD']) {
      assert.equal(await status('', { method }), 405, method)
    }
    for (const method of ['OPTIONS', 'TRACE'])
      assert.equal(await status('', { method }), 403, method)
  })

  it('reads packed bodies, and answers 413 and 415 to those that it does not take', async () => {
    const { status, events } = await start({ maxRequestBytes: '1000' })
    const gzip = { 'content-encoding': 'gzip' }
    assert.equal(await status(gzipSync('[{"body":"x"}]'), { headers: gzip }), 200)
    assert.equal(events().length, 1)
    assert.equal(await status(gzipSync(Buffer.alloc(100_000)), { headers: gzip }), 413)
    assert.equal(await status(Buffer.alloc(1_001)), 413)
    assert.equal(await status('[]', { headers: { 'content-encoding': 'zip' } }), 415)
    assert.equal(await status('no gzip', { headers: gzip }), 400)
    assert.equal(await status('[{"body":"y"}]'), 200)
  })

  it('reads UTF-16 and UTF-32, and writes bodies in them', async () => {
    const { status, context } = await start()
    const text = '[{"body":"ü"}]'
    const utf16 = Buffer.from(text, 'utf16le').swap16()
    const type = (charset: string) => ({ 'content-type': `application/json; charset=${charset}` })
    assert.equal(await status(utf16, { headers: type('UTF-16') }), 200)
    const utf32 = Buffer.alloc(text.length * 4)
    Array.from(text).forEach((char, i) => utf32.writeUInt32BE(char.codePointAt(0) ?? 0, i * 4))
    assert.equal(await status(utf32, { headers: type('utf-32') }), 200)
    assert.equal(await status(text, { headers: type('latin1') }), 400)
    const bodies = context.channel.batches.map((batch) => batch.bodyAt(0).toString('hex'))
    assert.deepEqual(bodies, ['feff00fc', '000000fc'])
  })

  it('takes a body as it is with the handler BLOB, and parameters as headers', async () => {
    const { status, events } = await start({}, 'BLOB', { mandatoryParameters: 'a, b' })
    assert.equal(await status('raw', { path: '/?a=1&b=2&a=3&c=x%20y' }), 200)
    assert.equal(await status('raw', { path: '/?a=1' }), 400)
    assert.deepEqual(events(), [{ headers: { a: '1', b: '2', c: 'x y' }, text: 'raw' }])
  })

  it('adds the content type with the handler of Morphline, and bounds the body', async () => {
    const { status, events } = await start({}, 'MORPHLINE_BLOB', { maxBlobLength: '5' })
    const headers = { 'content-type': 'text/csv' }
    assert.equal(await status('12345', { headers, path: '/?k=v' }), 200)
    assert.equal(await status('123456', { headers }), 400)
    assert.deepEqual(events(), [{ headers: { k: 'v', 'Content-Type': 'text/csv' }, text: '12345' }])
  })

  it('speaks TLS, also under the old names of its keys', async () => {
    const keystore = new TestCertificate('localhost', undefined, ['127.0.0.1']).writeStore()
    const { status } = await start({ enableSSL: 'true', keystore })
    assert.equal(await status('[{"body":"x"}]', { isTls: true }), 200)
  })
})
