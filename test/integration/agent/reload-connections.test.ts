import assert from 'node:assert/strict'
import { Agent, loadConfiguration } from '@millrace/agent-core'
import { EventBatch } from '@millrace/event'
import { AvroRpcClient } from '@millrace/rpc'
import { silentLogger } from '@millrace/runtime'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../support/free-port.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

describe('a connection to an avro source', () => {
  it('stays open over reloads that change everything but the source', async () => {
    const file = join(temporaryDirectory(), 'flume.properties')
    const port = await freePort()
    const load = async (more: string) => {
      writeFileSync(
        file,
        `a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = ${port}
a1.sources.r1.channels = c1
a1.channels.c1.type = memory
a1.sinks.k1.type = null
a1.sinks.k1.channel = c1
${more}`,
      )
      const { configuration } = await loadConfiguration({ file, agent: 'a1' })
      assert.ok(configuration)
      return configuration
    }
    const agent = new Agent({ logger: silentLogger })
    await agent.start(await load(''))
    const client = new AvroRpcClient({ host: '127.0.0.1', port })
    try {
      for (const more of [
        'a1.channels.c1.capacity = 700\n',
        'a1.sinks.k1.batchSize = 3\n',
        'a1.sources.r1.interceptors = i1\na1.sources.r1.interceptors.i1.type = timestamp\n',
        'a1.channels = c1 c2\na1.channels.c2.type = memory\na1.sources.r1.channels = c2\na1.sinks.k1.channel = c2\n',
        'a1.sinks = k1 k2\na1.sinks.k2.type = null\na1.sinks.k2.channel = c1\na1.sinkgroups = g1\na1.sinkgroups.g1.sinks = k1 k2\na1.sinkgroups.g1.processor.type = load_balance\n',
      ]) {
        await client.append(EventBatch.of([{ body: 'before' }]))
        await agent.reload(await load(more))
        await client.append(EventBatch.of([{ body: 'after' }]))
        assert.equal(client.isActive, true)
      }
      const source = agent.metrics()['SOURCE.r1']
      assert.deepEqual(
        [source?.['OpenConnectionCount'], source?.['EventAcceptedCount']],
        ['1', '10'],
      )
    } finally {
      await client.close()
      await agent.stop({ deadlineMs: 1_000 })
    }
  })
})
