import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { applyKeepAlive } from '@millrace/rpc/internal/net/keep-alive'
import { createLogger } from '@millrace/runtime'
import { RawServer } from '../../support/rpc/raw-peer.js'
import { Closing } from '../../support/rpc/test-server.js'

describe('keep-alive probes', () => {
  const closing = new Closing()
  const open = async () => {
    const server = closing.add(await RawServer.listen())
    const socket: Socket = connect(server.port, '127.0.0.1')
    closing.add({ destroy: () => socket.destroy() })
    await new Promise((resolve) => socket.once('connect', resolve))
    const log: string[] = []
    const logger = createLogger({ level: 'info', write: (line) => void log.push(line) })
    return { socket, log, logger }
  }

  it('are tuned by net-keepalive where it loads', async () => {
    const { socket, log, logger } = await open()
    const set: unknown[] = []
    const note = (name: string) => (target: unknown, value: number) => {
      set.push(name, value, target === socket)
      return true
    }
    const tuning = {
      setKeepAliveInterval: note('interval'),
      setKeepAliveProbes: note('probes'),
      setUserTimeout: note('userTimeout'),
    }
    const options = { intervalMs: 2_000, probes: 3, userTimeoutMs: 9_000 }
    await applyKeepAlive(socket, options, { logger, load: () => Promise.resolve(tuning) })
    assert.deepEqual(set, ['interval', 2_000, true, 'probes', 3, true, 'userTimeout', 9_000, true])
    assert.deepEqual(log, [])
  })

  it('are left to Node where it does not load, and the log says so once', async () => {
    const { socket, log, logger } = await open()
    const load = () => Promise.reject(new Error('no binary for this platform'))
    for (let i = 0; i < 3; i += 1) await applyKeepAlive(socket, { probes: 3 }, { logger, load })
    assert.equal(log.length, 1)
    assert.match(log[0] ?? '', /net-keepalive cannot be used.*no binary for this platform/)
  })

  it('do not load it when Node can do what is asked for', async () => {
    const { socket, logger } = await open()
    const load = () => Promise.reject(new Error('loaded'))
    await applyKeepAlive(socket, { delayMs: 1_000 }, { logger, load })
    await applyKeepAlive(socket, {}, { logger, load })
  })
})
