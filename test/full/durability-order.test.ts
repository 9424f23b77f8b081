import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { seededRandom } from '@millrace/runtime'
import { PipeliningSender, type SentCall } from '../support/kill9/pipelining-sender.js'
import { repository } from '../support/repository.js'
import { repliesOf, unprovenReplies } from '../support/strace/order-proof.js'
import { installStrace, TracedAgent } from '../support/strace/traced-agent.js'
import { WRITES } from '../support/strace/trace.js'
import { temporaryDirectory } from '../support/temp-directory.js'
import { until } from '../support/until.js'

const run = promisify(execFile)

const fileChannel = (directory: string, more: Record<string, string> = {}) => ({
  'channels.c1.type': 'file',
  'channels.c1.checkpointDir': join(directory, 'checkpoint'),
  'channels.c1.dataDirs': `${join(directory, 'data1')},${join(directory, 'data2')}`,
  'channels.c1.capacity': '1000000',
  'channels.c1.transactionCapacity': '10000',
  'channels.c1.minimumRequiredSpace': '1048576',
  ...more,
})

const dataDirectories = (directory: string) => [join(directory, 'data1'), join(directory, 'data2')]

/** What the traced agent and the channel's log count for a load on it, when the channel rests again. */
interface Counts {
  readonly atMs: number
  readonly bytesWritten: number
  readonly accepted: number
}

/** Longer than the log waits with acknowledgements, in milliseconds. */
const REST_MS = 700

async function restingCounts({ agent }: TracedAgent): Promise<Counts> {
  let found: Counts = { atMs: 0, bytesWritten: -1, accepted: -1 }
  let restsSince = 0
  await until(
    async () => {
      const { 'CHANNEL.c1': channel = {}, 'SOURCE.r1': source = {} } = await agent.metrics()
      const bytesWritten = Number(channel['BytesWritten'])
      const atMs = Date.now()
      if (channel['ChannelSize'] !== '0' || bytesWritten !== found.bytesWritten) restsSince = atMs
      found = { atMs, bytesWritten, accepted: Number(source['EventAcceptedCount']) }
      return atMs - restsSince > REST_MS
    },
    { timeoutMs: 60_000, what: 'a channel that rests' },
  )
  return found
}

/** Sends under strace, and gives the markers of the batches whose replies came too early. */
async function proof(
  more: Record<string, string>,
): Promise<{ replies: number; unproven: string[] }> {
  const directory = temporaryDirectory()
  const settings = fileChannel(directory, { 'channels.c1.segmentSize': '131072', ...more })
  const traced = await TracedAgent.start({ directory, settings, keptBytes: 65_536 })
  try {
    const sent: SentCall[] = []
    const senders = Array.from({ length: 4 }, (_, i) =>
      new PipeliningSender({
        name: `s${i}`,
        port: traced.agent.port,
        recordFile: join(directory, `record-${i}`),
        random: seededRandom(i),
        onSend: (call) => sent.push(call),
      }).start(),
    )
    await until(() => senders.every(({ acknowledged }) => acknowledged >= 3_000), {
      timeoutMs: 60_000,
      what: 'acknowledged events',
    })
    for (const sender of senders) await sender.stop()
    const calls = await traced.stop()
    const replies = repliesOf(calls, traced.agent.port)
    const marked = sent.map(({ localPort, serial, marker }) => {
      const isIts = (each: (typeof replies)[number]) =>
        each.clientPort === localPort && each.serial === serial
      const reply = replies.find(isIts)
      assert.ok(reply?.isOk, `the reply to ${marker}is in the trace`)
      return { reply, marker }
    })
    const unproven = unprovenReplies(calls, dataDirectories(directory), marked)
    return { replies: marked.length, unproven: unproven.map(({ marker }) => marker) }
  } finally {
    await traced.end()
  }
}

describe('the system calls of an agent with a file channel', function () {
  this.timeout(300_000)
  before(installStrace)

  it('answer a batch only after a sync of the file that it was written to', async () => {
    const { replies, unproven } = await proof({})
    assert.ok(replies >= 400, `${replies} replies`)
    assert.deepEqual(unproven, [], `of ${replies} replies these came before their sync`)
  })

  it('show that there is no such sync with fsyncPerTransaction = false', async () => {
    const { replies, unproven } = await proof({ 'channels.c1.fsyncPerTransaction': 'false' })
    assert.ok(unproven.length > replies / 2, `${unproven.length} of ${replies} replies`)
  })

  it('write at most 1.15 bytes for each byte of the events, which is what the log counts', async () => {
    const directory = temporaryDirectory()
    const segmentBytes = 64 * 1_048_576
    const settings = fileChannel(directory, {
      'channels.c1.segmentSize': String(segmentBytes),
      'sinks.k1.type': 'null',
      'sinks.k1.batchSize': '1000',
      'sinks.k1.sink.directory': '',
      'sinks.k1.sink.rollInterval': '',
      'sinks.k1.sink.batchSize': '',
    })
    const traced = await TracedAgent.start({ directory, settings, keptBytes: 0 })
    try {
      const load = async (events: number): Promise<{ events: number; eventBytes: number }> => {
        const generator = join(repository, 'test', 'dist', 'bench', 'load-generator.js')
        const words = [traced.agent.port, events, 1_000, 4, 4].map(String)
        return JSON.parse((await run(process.execPath, [generator, ...words])).stdout)
      }
      // Enough for the segments that will be recycled; then four times as many.
      await load(1_500_000)
      const before = await restingCounts(traced)
      const { events, eventBytes } = await load(4_400_000)
      const after = await restingCounts(traced)
      assert.equal(after.accepted - before.accepted, events)
      const eventBytesWritten = events * eventBytes
      assert.ok(eventBytesWritten > 4 * 4 * segmentBytes, `${eventBytesWritten} bytes of events`)
      const calls = await traced.stop()
      const own = [join(directory, 'checkpoint'), ...dataDirectories(directory)]
      const written = calls
        .filter(
          ({ name, atMs }) => WRITES.includes(name) && atMs > before.atMs && atMs < after.atMs,
        )
        .filter(({ target }) => own.some((each) => target.startsWith(`${each}/`)))
        .reduce((sum, { result = 0 }) => sum + Math.max(0, result), 0)
      assert.equal(written, after.bytesWritten - before.bytesWritten, 'what the log counts')
      const ratio = written / eventBytesWritten
      assert.ok(ratio <= 1.15, `${ratio} bytes for each byte of an event`)
    } finally {
      await traced.end()
    }
  })
})
