/** Clients of this process call hostile servers, while a good one goes on beside them. */
import assert from 'node:assert/strict'
import { until } from '../until.js'
import { playClientCase, hostileIdentity } from './client-case.js'
import { recordedCorpus } from './corpus.js'
import { caseText } from './fuzz-case.js'
import { attackOnClient } from './generate.js'
import { LayeredServers } from './layered-servers.js'
import { FuzzFailure, type FuzzOptions } from './server-fuzz.js'

/** Most memory that this process may grow by, in bytes. */
const MOST_GROWTH_BYTES = 200_000_000
const LANES = 24
const WAVE = 600

export interface ClientFuzzReport {
  readonly cases: number
  readonly resolved: number
  readonly growthBytes: number
}

const openSockets = () =>
  process.getActiveResourcesInfo().filter((name) => /^(TCPSocketWrap|TLSWrap)$/.test(name)).length

/** Attacks for some seconds. @throws when a client hangs, believes what was not said, or leaves something open. */
export async function fuzzClients(options: FuzzOptions): Promise<ClientFuzzReport> {
  const corpus = recordedCorpus()
  const identity = hostileIdentity()
  const good = new LayeredServers()
  await good.listen()
  const before = { sockets: openSockets(), bytes: process.memoryUsage().rss }
  const endsAt = performance.now() + options.seconds * 1_000
  let { seed } = options
  let resolved = 0
  let peakBytes = before.bytes
  const lane = async (last: number) => {
    while (seed < last && performance.now() < endsAt) {
      const fuzz = await attackOnClient(seed++, corpus)
      try {
        for (const kind of ['connection', 'client'] as const) {
          const count = await playClientCase(fuzz, kind, identity)
          resolved += count
        }
      } catch (error) {
        throw new FuzzFailure(fuzz, error)
      }
      peakBytes = Math.max(peakBytes, process.memoryUsage.rss())
    }
  }
  try {
    while (performance.now() < endsAt) {
      const first = seed
      await Promise.all(Array.from({ length: LANES }, () => lane(first + WAVE)))
      const those = `seeds ${first} to ${seed - 1}`
      await good.serve()
      await until(() => openSockets() <= before.sockets, {
        what: () => `${those}: ${openSockets()} sockets, of which ${before.sockets} were there`,
      })
      const growthBytes = peakBytes - before.bytes
      assert.ok(growthBytes < MOST_GROWTH_BYTES, `${those}: ${growthBytes} bytes more`)
      options.progress?.(`${those}: ${growthBytes} bytes more`)
    }
  } finally {
    await good.close()
  }
  return { cases: seed - options.seed, resolved, growthBytes: peakBytes - before.bytes }
}

/** The file of one seed's case. */
export async function clientCaseText(seed: number): Promise<string> {
  return caseText(await attackOnClient(seed, recordedCorpus()))
}
