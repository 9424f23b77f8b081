/** One hostile server of a client. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import { EventBatch } from '@millrace/event'
import { AvroRpcClient, AvroRpcConnection, type ConnectionOptions } from '@millrace/rpc'
import { DeflateDuplex } from '@millrace/rpc/internal/net/deflate-duplex'
import { delay } from '@millrace/runtime'
import { TestCertificate } from '../certificates.js'
import type { FuzzCase } from './fuzz-case.js'
import { inflatedPrefix } from './server-case.js'
import { RecordFaults } from './tls-records.js'
import { acknowledgedIn } from './tokens.js'

/** Time limits of the client under attack, and what it may take longer, in milliseconds. */
const TIMEOUT_MS = 300
const GRACE_MS = 3_000
const CALLS = 4

export type ClientKind = 'connection' | 'client'

/** Key and certificate of hostile servers. */
export function hostileIdentity(): SecureContext {
  const { key, cert } = new TestCertificate('hostile', undefined, ['127.0.0.1'])
  return createSecureContext({ key, cert })
}

/** Says the steps of the case, each when something came; gives what it said, above TLS. */
function speak(socket: Socket, fuzz: FuzzCase, identity: SecureContext): Buffer[] {
  const said: Buffer[] = []
  let stream: Duplex = socket
  if (fuzz.speaks !== 'nothing') {
    const below = fuzz.speaks === 'tls-in-zlib' ? new DeflateDuplex(socket) : socket
    const records = new RecordFaults(below, fuzz.records)
    for (const layer of [below, records]) layer.on('error', () => socket.destroy())
    stream = new TLSSocket(records, {
      isServer: true,
      secureContext: identity,
    })
  }
  const steps = [...fuzz.steps]
  stream.on('error', () => socket.destroy())
  stream.on('data', () => {
    const step = steps.shift()
    if (step && stream.writable) {
      said.push(step)
      stream.write(step)
    }
    if (steps.length > 0) return
    if (fuzz.ending === 'end') stream.end()
    else if (fuzz.ending === 'reset') socket.resetAndDestroy()
  })
  return said
}

/** Whether each of some calls resolved. @throws when one of them is not settled in time. */
async function callAll(options: ConnectionOptions, kind: ClientKind): Promise<boolean[]> {
  const batch = EventBatch.of([{ headers: { k: 'v' }, body: 'hello' }])
  const client = new AvroRpcClient({
    ...options,
    connectTimeoutMs: TIMEOUT_MS,
    requestTimeoutMs: TIMEOUT_MS,
  })
  const connection = new AvroRpcConnection(options)
  const limit = { timeoutMs: TIMEOUT_MS }
  const calls: Promise<void>[] = []
  if (kind === 'client') {
    for (let i = 0; i < CALLS; i += 1) calls.push(client.appendBatch(batch))
  } else {
    const connected = connection.connect(limit)
    for (let i = 0; i < CALLS; i += 1) {
      calls.push(connected.then(() => connection.call('appendBatch', batch, limit)))
    }
  }
  const settled = Promise.allSettled(calls)
  const most = TIMEOUT_MS * CALLS + GRACE_MS
  const late = (what: string) =>
    delay(most).then(() => Promise.reject(new Error(`${kind}: ${what} after ${most} ms`)))
  const outcomes = await Promise.race([settled, late('a call is not settled')])
  await Promise.race([Promise.all([client.close(), connection.close()]), late('it is not closed')])
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') {
      assert.match(String(Reflect.get(outcome.reason as object, 'code')), /^MILLRACE_RPC_/)
    }
  }
  return outcomes.map(({ status }) => status === 'fulfilled')
}

/**
 * Plays the case against one client and gives how many of its calls resolved.
 * @throws when it does not settle in time, or resolves a call that was not answered OK.
 */
export async function playClientCase(
  fuzz: FuzzCase,
  kind: ClientKind,
  identity: SecureContext,
): Promise<number> {
  const said: Buffer[][] = []
  const server = createServer({ allowHalfOpen: true, noDelay: true })
  const sockets: Socket[] = []
  server.on('connection', (socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    said.push(speak(socket, fuzz, identity))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const outermost = fuzz.speaks === 'tls-in-zlib' ? ('zlib' as const) : ('tls' as const)
  try {
    const { compression, tls } = fuzz
    const options = { host: '127.0.0.1', port, compression }
    const security = tls ? { tls: { trustAll: true, outermost } } : {}
    const resolved = await callAll({ ...options, ...security }, kind)
    const steps = said[0] ?? []
    const isDeflated = compression === 'deflate' && fuzz.speaks !== 'tls-in-zlib'
    const { oks, isRepeated } = acknowledgedIn(
      isDeflated ? await inflatedPrefix(steps) : Buffer.concat(steps),
    )
    for (const [i, isResolved] of resolved.entries()) {
      const serial = i + 1 + Number(isRepeated)
      assert.ok(!isResolved || oks.has(serial), `${kind}: call ${serial} was not answered OK`)
    }
    return resolved.filter(Boolean).length
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}
