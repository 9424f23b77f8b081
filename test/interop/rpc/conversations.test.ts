import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { constants, inflateSync } from 'node:zlib'
import { EventBatch } from '@millrace/event'
import { AvroRpcClient } from '@millrace/rpc'
import { ChannelError, MillraceError } from '@millrace/runtime'
import {
  type Conversation,
  conversationsDirectory,
  readConversation,
  type Step,
  type Who,
} from '../../support/interop/conversation.js'
import { RawPeer, RawServer } from '../../support/rpc/raw-peer.js'
import { Closing, startServer } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'

const conversations = readdirSync(conversationsDirectory).map((name) =>
  readConversation(join(conversationsDirectory, name)),
)

/** The channel of the recorded source takes one event. */
const isRefused = ({ name }: Conversation) => name.endsWith('-refused')

/** What octets of one direction mean: inflated as far as they go. */
function plain({ compression }: Conversation, octets: Buffer): Buffer {
  if (compression === 'none' || octets.length === 0) return octets
  return inflateSync(octets, { finishFlush: constants.Z_SYNC_FLUSH })
}

/** What one side has said up to and with a step. */
const said = (steps: readonly Step[], who: Who, upTo: number) =>
  Buffer.concat(steps.slice(0, upTo + 1).flatMap((step) => (step.who === who ? step.octets : [])))

interface Call {
  readonly serial: number
  readonly message: Buffer
  readonly name: string
  readonly batch: EventBatch
}

/** Whole calls in what a client says; the first one has the handshake in front. */
function callsOf(octets: Buffer): Call[] {
  const calls: Call[] = []
  for (let at = 0; at < octets.length; ) {
    const frame = frameAt(octets, at)
    if (frame === undefined) break
    const { serial, message, end: next } = frame
    at = next
    // Two hashes, no protocol, metadata of the handshake; then the metadata of the call.
    const start = (calls.length === 0 ? 35 : 0) + 1
    const nameLength = (message[start] ?? 0) / 2
    const name = message.toString('latin1', start + 1, start + 1 + nameLength)
    const parameter = Buffer.from(message.subarray(start + 1 + nameLength))
    const scan = name === 'append' ? EventBatch.scanEvent : EventBatch.scanArray
    const { batch, end } = scan(parameter)
    assert.equal(end, parameter.length)
    calls.push({ serial, message, name, batch })
  }
  return calls
}

describe('conversations that were recorded from real clients and sources', () => {
  const closing = new Closing()

  it('are there for three versions of Flume, and for a stranger', () => {
    const names = ['1.6', '1.9', '1.11'].flatMap((version) =>
      ['plain', 'deflate', 'refused'].map((what) => `flume-${version}-${what}`),
    )
    assert.deepEqual(
      conversations.map(({ name }) => name).toSorted(),
      [...names, 'avro-1.11-stranger'].toSorted(),
    )
  })

  for (const conversation of conversations) {
    const { name, compression, connections } = conversation

    it(`${name}: a server answers its client octet by octet as the source did`, async () => {
      const { port, handler, log } = await startServer({ compression }, closing.step)
      handler.decide = (batch) => {
        if (isRefused(conversation) && batch.size > 1)
          throw new ChannelError('MILLRACE_CHANNEL_FULL', 'full')
      }
      for (const steps of connections) {
        const peer = closing.add(await RawPeer.connect(port))
        for (const [index, { who, octets }] of steps.entries()) {
          if (who === 'client') {
            peer.write(octets)
            continue
          }
          const expected = plain(conversation, said(steps, 'server', index))
          await until(() => plain(conversation, peer.received).length >= expected.length, {
            what: () => `an answer to step ${index - 1} of ${name}`,
          })
          assert.deepEqual(plain(conversation, peer.received), expected)
        }
        peer.socket.end()
        await peer.closed()
      }
      const expected = connections.flatMap((steps) =>
        name.startsWith('flume')
          ? callsOf(plain(conversation, said(steps, 'client', steps.length)))
          : [],
      )
      if (name.startsWith('flume')) {
        const stored = handler.calls.map((call) => [call.name, call.batch.bytes.toString('hex')])
        assert.deepEqual(
          stored,
          expected.map((call) => [call.name, call.batch.bytes.toString('hex')]),
        )
      } else assert.deepEqual(handler.bodies, ['stranger', 'stranger'])
      assert.deepEqual(log, [])
    })

    if (!name.startsWith('flume')) continue

    it(`${name}: a client says the same calls octet by octet and takes the source's answers`, async () => {
      const [steps = []] = connections
      const calls = callsOf(plain(conversation, said(steps, 'client', steps.length)))
      const answers = steps.filter(({ who }) => who === 'server')
      const server = closing.add(await RawServer.listen())
      const client = closing.add(
        new AvroRpcClient({ host: '127.0.0.1', port: server.port, compression }),
      )
      await client.connect()
      const peer = await server.accept()
      let spoken = 0
      for (const [index, call] of calls.entries()) {
        const work =
          call.name === 'append' ? client.append(call.batch) : client.appendBatch(call.batch)
        const outcome = work.then(
          () => 'OK',
          (error: unknown) =>
            MillraceError.is(error) ? String(error.details?.['status']) : 'broken',
        )
        // Where a message is cut into buffers means nothing; what is in them is the same.
        await until(() => frameAt(plain(conversation, peer.received), spoken), {
          what: () => `call ${index} of ${name}`,
        })
        const frame = frameAt(plain(conversation, peer.received), spoken)
        assert.equal(frame?.serial, call.serial)
        assert.equal(frame.message.toString('hex'), call.message.toString('hex'))
        spoken = frame.end
        peer.write(answers[index]?.octets ?? Buffer.alloc(0))
        assert.equal(
          await outcome,
          isRefused(conversation) && index === calls.length - 1 ? 'FAILED' : 'OK',
        )
      }
      assert.equal(client.isActive, !isRefused(conversation))
    })
  }
})

/** The frame at an offset; undefined while it is not whole. */
function frameAt(
  octets: Buffer,
  start: number,
): { serial: number; message: Buffer; end: number } | undefined {
  if (octets.length < start + 8) return undefined
  const buffers: Buffer[] = []
  let at = start + 8
  for (let left = octets.readInt32BE(start + 4); left > 0; left -= 1) {
    if (octets.length < at + 4) return undefined
    const end = at + 4 + octets.readInt32BE(at)
    if (octets.length < end) return undefined
    buffers.push(octets.subarray(at + 4, end))
    at = end
  }
  return { serial: octets.readInt32BE(start), message: Buffer.concat(buffers), end: at }
}
