import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Agent } from '@millrace/agent-core'
import { replicatingSelector } from '@millrace/agent-core/internal/selectors/replicating'
import { TextSerializer } from '@millrace/agent-core/internal/serializers/text'
import { FileRollSink } from '@millrace/agent-core/internal/sinks/file-roll-sink'
import { avroSource } from '@millrace/agent-core/internal/sources/avro'
import { netcatSource } from '@millrace/agent-core/internal/sources/netcat'
import type { ComponentDefinition, OptionShape } from '@millrace/component'
import { AvroRpcClient } from '@millrace/rpc'
import { MillraceError, silentLogger, systemClock } from '@millrace/runtime'
import { batchOf, channelNode, component, sinkNode } from '../../support/agent.js'
import { FaultyFiles } from '../../support/faulty-files.js'
import { freePort } from '../../support/free-port.js'
import { LineClient } from '../../support/line-client.js'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { until } from '../../support/until.js'

/** Makes the waits after failures short, in the same way each time. */
const random = () => 0.01

interface Running {
  readonly agent: Agent
  readonly files: FaultyFiles
  readonly avroPort: number
  readonly netcatPort: number
  stored(): readonly string[]
}

/** avro and netcat → a memory channel of 50 events → file_roll. */
async function startAgent(): Promise<Running> {
  const directory = temporaryDirectory()
  const files = new FaultyFiles()
  const sink = new FileRollSink(
    {
      directory,
      pathManager: 'DEFAULT',
      extension: '',
      prefix: '',
      rollIntervalMs: 0,
      fsync: 'auto',
      batchSize: 10,
    },
    {
      createSerializer: () => new TextSerializer(true),
      logger: silentLogger,
      clock: systemClock,
      files,
    },
  )
  const [avroPort, netcatPort] = [await freePort(), await freePort()]
  const source = <S extends OptionShape>(
    name: string,
    definition: ComponentDefinition<'source', S>,
    port: number,
  ) => ({
    ...component(name, definition, { bind: '127.0.0.1', port }),
    channels: ['c1'],
    selector: component(name, replicatingSelector),
    interceptors: [],
  })
  const agent = new Agent({ logger: silentLogger, random })
  await agent.start({
    agent: 'a1',
    sources: [source('r1', avroSource, avroPort), source('r2', netcatSource, netcatPort)],
    channels: [channelNode({ capacity: 50, transactionCapacity: 20, keepAliveMs: 0 })],
    sinks: [sinkNode(sink)],
    sinkGroups: [],
  })
  const stored = () =>
    readdirSync(directory)
      .flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'))
      .filter((line) => line !== '')
  return { agent, files, avroPort, netcatPort, stored }
}

/** Sends numbered batches of ten until one is refused; gives the bodies that were acknowledged. */
async function sendUntilRefused(port: number, first: number): Promise<string[]> {
  const client = new AvroRpcClient({ host: '127.0.0.1', port })
  const acknowledged: string[] = []
  try {
    for (let at = first; ; at += 10) {
      const bodies = Array.from({ length: 10 }, (_, i) => `event ${at + i}`)
      await client.appendBatch(batchOf(...bodies))
      acknowledged.push(...bodies)
      assert.ok(acknowledged.length <= 60, 'the channel is bounded')
    }
  } catch (error) {
    assert.ok(MillraceError.is(error) && error.code === 'MILLRACE_RPC_REMOTE_FAILED', String(error))
    return acknowledged
  } finally {
    await client.close()
  }
}

describe('an agent whose disk fails', () => {
  for (const [what, code] of [
    ['full', 'ENOSPC'],
    ['read-only', 'EROFS'],
  ] as const) {
    it(`answers FAILED once the channel is full, and stores all it has acknowledged when a ${what} disk recovers`, async () => {
      const { agent, files, avroPort, netcatPort, stored } = await startAgent()
      try {
        const client = new AvroRpcClient({ host: '127.0.0.1', port: avroPort })
        await client.appendBatch(batchOf('before'))
        await until(() => stored().length === 1, { what: 'the first event is stored' })

        files.writeError = code
        files.roomBytes = 3
        if (code === 'EROFS') files.createError = code
        const acknowledged = await sendUntilRefused(avroPort, 0)
        assert.ok(acknowledged.length >= 40, `${acknowledged.length} events fit into the channel`)

        const lines = await LineClient.connect(netcatPort)
        lines.send('line\n'.repeat(60))
        await lines.told('OK\n'.repeat(50 - acknowledged.length))
        await until(() => lines.text.includes('FAILED'), { what: 'a line is refused' })
        const taken = () => lines.text.split('\n').filter((answer) => answer === 'OK').length
        await until(() => lines.text.match(/\n/g)?.length === 60, { what: 'each line is answered' })
        const linesTaken = taken()
        lines.socket.destroy()
        // A try that is under way may just have written a part, which it cuts off again.
        await until(() => stored().join() === 'before', {
          what: 'no part of an event is in a file',
        })

        files.roomBytes = Number.POSITIVE_INFINITY
        files.createError = undefined
        await until(() => stored().length >= 1 + acknowledged.length + linesTaken, {
          what: () => `${stored().length} events are stored`,
        })
        await client.appendBatch(batchOf('after'))
        await client.close()
        const { undelivered } = await agent.stop({ deadlineMs: 2_000 })
        assert.deepEqual(undelivered, {})
        const expected = ['before', ...acknowledged, ...Array(linesTaken).fill('line'), 'after']
        assert.deepEqual(stored(), expected)
      } finally {
        await agent.stop({ deadlineMs: 0 })
      }
    })
  }
})
