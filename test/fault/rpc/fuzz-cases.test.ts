import assert from 'node:assert/strict'
import { keptCases } from '../../support/fuzz/fuzz-case.js'
import { recordedCorpus } from '../../support/fuzz/corpus.js'
import { attackOnClient, attackOnServer } from '../../support/fuzz/generate.js'
import { hostileIdentity, playClientCase } from '../../support/fuzz/client-case.js'
import { LayeredServers } from '../../support/fuzz/layered-servers.js'
import { playServerCase, type ServerPorts } from '../../support/fuzz/server-case.js'
import { until } from '../../support/until.js'

/** Of the random ones; `npm run campaign -- fuzz-server` goes on from there. */
const SHORT_SEEDS = 150

describe('hostile conversations with a server', () => {
  const target = new LayeredServers()
  let ports: ServerPorts | undefined
  before(async () => {
    ports = await target.listen()
  })
  after(() => target.close())

  const isUnharmed = async () => {
    await target.serve()
    await until(() => target.connectionCount === 0 && target.pendingBytes === 0, {
      what: () => `nothing is held, ${target.connectionCount} connections are`,
    })
  }

  for (const [name, fuzz] of keptCases('server')) {
    it(`${name}: it answers or closes, and serves the next`, async () => {
      assert.ok(ports)
      await playServerCase(fuzz, ports)
      await isUnharmed()
    })
  }

  it(`the first ${SHORT_SEEDS} seeds: it answers or closes each, and hands on what it answers OK`, async () => {
    const corpus = recordedCorpus()
    target.handler.calls.length = 0
    let seed = 1
    let oks = 0
    const lane = async () => {
      while (seed <= SHORT_SEEDS) {
        const fuzz = await attackOnServer(seed, corpus)
        seed += 1
        assert.ok(ports)
        const outcome = await playServerCase(fuzz, ports)
        oks += outcome.oks
      }
    }
    await Promise.all([lane(), lane(), lane(), lane()])
    assert.ok(oks > 50, `${oks} calls were answered OK`)
    assert.ok(target.handler.calls.length >= oks)
    await isUnharmed()
  })
})

describe('hostile conversations with a client', () => {
  const identity = hostileIdentity()

  for (const [name, fuzz] of keptCases('client')) {
    it(`${name}: each call settles in time, and only what was answered OK resolves`, async () => {
      await playClientCase(fuzz, 'client', identity)
      await playClientCase(fuzz, 'connection', identity)
    })
  }

  it(`the first ${SHORT_SEEDS} seeds: each call settles in time, and only what was answered OK resolves`, async () => {
    const corpus = recordedCorpus()
    let seed = 1
    let resolved = 0
    const lane = async () => {
      while (seed <= SHORT_SEEDS) {
        const fuzz = await attackOnClient(seed, corpus)
        seed += 1
        const count = await playClientCase(fuzz, seed % 2 === 0 ? 'client' : 'connection', identity)
        resolved += count
      }
    }
    await Promise.all(Array.from({ length: 12 }, lane))
    assert.ok(resolved > 30, `${resolved} calls resolved`)
  })
})
