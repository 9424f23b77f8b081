import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AgentProcess, countLines } from '../../support/agent-process.js'
import { freePort } from '../../support/free-port.js'
import { NumberedClient } from '../../support/numbered-client.js'
import { Closing } from '../../support/rpc/test-server.js'
import { smallDisk } from '../../support/small-disk.js'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { until } from '../../support/until.js'

/** r1 → c1 of 500 events → files, and r2 → c2 → null. */
async function settings(port: number): Promise<Record<string, string>> {
  return {
    sources: 'r1 r2',
    channels: 'c1 c2',
    sinks: 'k1 k2',
    'channels.c1.capacity': '500',
    'channels.c1.transactionCapacity': '100',
    'channels.c1.keep-alive': '0',
    'sources.r2.type': 'avro',
    'sources.r2.bind': '127.0.0.1',
    'sources.r2.port': String(port),
    'sources.r2.channels': 'c2',
    'channels.c2.type': 'memory',
    'sinks.k2.type': 'null',
    'sinks.k2.channel': 'c2',
  }
}

describe('an agent process whose disk fails', () => {
  const closing = new Closing()
  const disk = smallDisk()
  const client = (port: number, name: string) => {
    const started = new NumberedClient(port, name).start()
    closing.step(() => started.stop())
    return started
  }
  const refusals = ({ failures }: NumberedClient) =>
    failures.filter((text) => /Status: FAILED/.test(text)).length

  it(`answers FAILED once the channel is full on a full disk (${disk.error}), and stores what it acknowledged when there is room`, async () => {
    const directory = temporaryDirectory()
    const port = await freePort()
    const agent = await AgentProcess.start({
      directory,
      wrapper: disk.wrapper(join(directory, 'stored')),
      settings: await settings(port),
    })
    closing.step(() => agent.kill())
    const stored = () => countLines(disk.seen(agent))
    const [writer, other] = [client(agent.port, 'writer'), client(port, 'other')]
    await writer.goesOn()
    disk.fill(agent)
    await until(() => refusals(writer) > 3, { timeoutMs: 15_000, what: 'calls are refused' })
    const held = writer.acknowledged
    assert.match(agent.log, new RegExp(`WARN +sink k1: could not deliver.* ${disk.error}`))
    assert.ok((agent.log.match(/could not deliver/g) ?? []).length <= 3, agent.log)
    await other.goesOn(20)
    disk.free(agent)
    await until(() => writer.acknowledged > held, { timeoutMs: 15_000, what: 'it goes on' })
    await writer.goesOn(20)
    await Promise.all([writer.stop(), other.stop()])
    await until(() => stored().has(`writer-${writer.acknowledged - 1}`), { what: 'all is stored' })
    assert.equal(refusals(writer), writer.failures.length, 'the peer is told FAILED, nothing else')
    assert.deepEqual(other.failures, [])
    writer.audit(stored())
    assert.equal(writer.doubledIn(stored()), 0)
    assert.ok(agent.peakBytes() < 180_000_000)
    await agent.stop()
  })

  it('goes on in new files where a file may not grow, and no event is torn', async () => {
    const agent = await AgentProcess.start({
      // In blocks of 512 octets, or of 1,024, as the shell counts.
      wrapper: ['sh', '-c', 'ulimit -f 16; exec "$@"', 'sh'],
      settings: { 'sinks.k1.sink.batchSize': '50' },
    })
    closing.step(() => agent.kill())
    const writer = client(agent.port, 'writer')
    await until(() => agent.storedFiles().length >= 3, { timeoutMs: 15_000, what: 'three files' })
    await writer.stop()
    assert.deepEqual(writer.failures, [])
    await agent.stop()
    writer.audit(agent.stored())
    assert.equal(writer.doubledIn(agent.stored()), 0)
    for (const name of agent.storedFiles()) {
      const path = join(agent.storedDirectory, name)
      assert.ok(statSync(path).size <= 16_384)
      assert.ok(readFileSync(path).length === 0 || readFileSync(path, 'utf8').endsWith('\n'), name)
    }
  })

  it('keeps events while its directory is gone, and stores them when it is back', async () => {
    const port = await freePort()
    const agent = await AgentProcess.start({
      settings: { ...(await settings(port)), 'sinks.k1.sink.rollInterval': '1' },
    })
    closing.step(() => agent.kill())
    const [writer, other] = [client(agent.port, 'writer'), client(port, 'other')]
    await writer.goesOn()
    const elsewhere = join(agent.directory, 'elsewhere')
    renameSync(agent.storedDirectory, elsewhere)
    await until(() => refusals(writer) > 3, { timeoutMs: 15_000, what: 'calls are refused' })
    assert.match(agent.log, /ENOENT/)
    await other.goesOn()
    mkdirSync(agent.storedDirectory)
    const held = writer.acknowledged
    await until(() => writer.acknowledged > held, { timeoutMs: 15_000, what: 'it goes on' })
    await Promise.all([writer.stop(), other.stop()])
    await agent.stop()
    const stored = new Map([...countLines(elsewhere), ...agent.stored()])
    writer.audit(stored)
    assert.deepEqual(other.failures, [])
  })

  it('does not start on a directory that takes no file: no ready, one clear line, exit code 1', async () => {
    // Not even root makes files there.
    const agent = await AgentProcess.launch({
      settings: { 'sinks.k1.sink.directory': '/proc' },
      args: ['--start-timeout', '0.3'],
    })
    const { code, stdout, stderr } = await agent.command.finished
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /ERROR .*Agent a1 did not start: sink k1 could not start: .*\/proc/)
  })
})
