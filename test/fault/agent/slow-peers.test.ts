import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { AgentProcess } from '../../support/agent-process.js'
import { attackedAgent } from '../../support/attacked-agent.js'
import { NumberedClient } from '../../support/numbered-client.js'
import {
  FIRST_APPEND,
  FIRST_OK,
  frame,
  handshake,
  SECOND_BATCH,
  SECOND_OK,
  text,
} from '../../support/rpc/golden.js'
import { RawPeer } from '../../support/rpc/raw-peer.js'
import { Closing } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'

const APPEND_BATCH = `00 ${text('appendBatch')}`
const IDLE = 2_000

/** A process that writes the beginning of a frame to the port, says so, and waits to be killed. */
const HALF_A_FRAME = `
  const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1', () =>
    socket.write(Buffer.from(process.argv[2], 'hex'), () => console.log('written')))`

describe('slow, idle and dying peers of an agent', () => {
  const agent = attackedAgent()
  const closing = new Closing()
  const connect = async () => closing.add(await RawPeer.connect(agent.port))
  const openConnections = async () =>
    Number((await agent.process.metrics())['SOURCE.r1']?.['OpenConnectionCount'])

  it('a sender of single octets, each a while after the other, gets its OK and holds up nobody', async () => {
    const peer = await connect()
    for (const octet of FIRST_APPEND) {
      peer.write(Buffer.of(octet))
      await agent.good.goesOn(3)
    }
    assert.deepEqual(await peer.read(FIRST_OK.length), FIRST_OK)
  })

  it('a peer that announces 128 MiB and sends little of it costs what it sent', async () => {
    const before = agent.process.residentBytes()
    for (let i = 0; i < 50; i += 1) {
      const peer = await connect()
      peer.write(Buffer.concat([FIRST_APPEND, Buffer.from('000000020000000108000000', 'hex')]))
      await peer.read(FIRST_OK.length)
      peer.write(Buffer.alloc(10_000, 1))
    }
    await agent.good.goesOn(20)
    assert.ok(agent.process.residentBytes() - before < 60_000_000)
  })

  it('a peer that never reads its answers is not read on, and costs little', async () => {
    const before = agent.process.residentBytes()
    const peer = await connect()
    peer.write(FIRST_APPEND)
    await peer.read(FIRST_OK.length)
    peer.socket.pause()
    const ping = frame(5, '00 00')
    const pings = Buffer.concat(Array.from({ length: 4_000 }, () => ping))
    let written = 0
    let isTaken = true
    // Some megabytes lie in the buffers of the two sockets before nothing goes on.
    while (isTaken && written < 200_000_000) {
      const taken = new Promise<boolean>((resolve) => {
        peer.socket.write(pings, () => resolve(true))
      })
      isTaken = await Promise.race([taken, agent.good.goesOn(100).then(() => false)])
      written += pings.length
    }
    assert.equal(isTaken, false, `${written} octets were taken`)
    assert.ok(agent.process.residentBytes() - before < 60_000_000)
  })

  it(`${IDLE} idle connections stay open, before and after their handshake, and cost little`, async () => {
    const before = agent.process.residentBytes()
    const peers: RawPeer[] = []
    while (peers.length < IDLE) {
      peers.push(...(await Promise.all(Array.from({ length: 100 }, connect))))
    }
    const talkers = peers.filter((_, i) => i % 2 === 0)
    for (const peer of talkers) peer.write(FIRST_APPEND)
    for (const peer of talkers) assert.deepEqual(await peer.read(FIRST_OK.length), FIRST_OK)
    assert.equal(await openConnections(), IDLE + 1)
    await agent.good.goesOn(50)
    assert.ok(agent.process.residentBytes() - before < 80_000_000)
    assert.ok(peers.every(({ hasEnded, isClosed }) => !hasEnded && !isClosed))
    peers[0]?.write(SECOND_BATCH)
    assert.deepEqual(await peers[0]?.read(SECOND_OK.length), SECOND_OK)
    for (const peer of peers) peer.destroy()
    await until(async () => (await openConnections()) === 1, { what: 'they are gone' })
  })

  it('clients killed inside a frame leave nothing behind: no event, no connection, no handle', async () => {
    const handles = agent.process.handleCount()
    const call = frame(1, handshake(), APPEND_BATCH, `02 00 ${text('of a killed client')} 00`)
    const cuts = [5, 30, call.length - 1]
    await Promise.all(
      cuts.map(async (cut) => {
        const octets = call.subarray(0, cut).toString('hex')
        const client = spawn(process.execPath, ['-e', HALF_A_FRAME, String(agent.port), octets])
        await once(client.stdout, 'data')
        client.kill('SIGKILL')
        await once(client, 'exit')
      }),
    )
    await until(async () => (await openConnections()) === 1, { what: 'they are gone' })
    await until(() => agent.process.handleCount() <= handles, { what: 'no handle is left' })
    assert.equal(agent.process.stored().get('of a killed client'), undefined)
  })
})

describe('an agent that may open few files', () => {
  const closing = new Closing()

  it('closes the connections for which it has none, serves those it has, and loses nothing', async () => {
    const agent = await AgentProcess.start({
      wrapper: ['sh', '-c', 'ulimit -n 140; exec "$@"', 'sh'],
      settings: { 'sinks.k1.sink.rollInterval': '1' },
    })
    closing.step(() => agent.kill())
    const good = new NumberedClient(agent.port, 'good').start()
    closing.step(() => good.stop())
    await good.goesOn()
    const peers: RawPeer[] = []
    for (let i = 0; i < 200; i += 1) peers.push(closing.add(await RawPeer.connect(agent.port)))
    await until(() => peers.some(({ hasEnded, isClosed }) => hasEnded || isClosed), {
      what: 'some are closed',
    })
    // Files are rolled meanwhile.
    const files = agent.storedFiles().length
    await until(() => agent.storedFiles().length > files, { what: 'a new file' })
    await good.goesOn()
    assert.deepEqual(good.failures, [])
    for (const peer of peers) peer.destroy()
    const late = new NumberedClient(agent.port, 'late').start()
    closing.step(() => late.stop())
    await late.goesOn()
    await Promise.all([good.stop(), late.stop()])
    await agent.stop()
    good.audit(agent.stored())
    late.audit(agent.stored())
  })
})
