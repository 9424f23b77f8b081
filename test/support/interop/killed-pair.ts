/** Flume's load-balancing client against two Millrace agents, of which one after the other is killed. */
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../until.js'
import { audit, numbersOf } from './audit.js'
import type { FlumeVersion } from './class-path.js'
import { javaPeer } from './java-peer.js'
import { Place } from './place.js'

export interface KilledPairOptions {
  readonly version: FlumeVersion
  readonly kills: number
  /** From one kill to the next, in milliseconds. */
  readonly everyMs: number
}

export interface KilledPairResult {
  readonly acknowledged: number
  /** Copies beyond the first. */
  readonly doubles: number
  /** Calls that failed at both agents and were sent again. */
  readonly failures: number
}

const BATCH = 20
const STORE_BATCH = 100
const SENDER_PAUSE_MS = 2

/**
 * Each killed agent starts again on its file channel before the next one is killed.
 * @throws AssertionError when an acknowledged event is not stored in the end.
 */
export async function killedPair(options: KilledPairOptions): Promise<KilledPairResult> {
  const { version, kills, everyMs } = options
  const places = [await makePlace(), await makePlace()] as const
  const agents = [await places[0].runProcess('Millrace'), await places[1].runProcess('Millrace')]
  const name = `pair-${version}`
  const sending = javaPeer(version).send({
    name,
    count: 0,
    batch: BATCH,
    retry: true,
    pauseMillis: SENDER_PAUSE_MS,
    properties: {
      hosts: 'h1 h2',
      'hosts.h1': `127.0.0.1:${places[0].port()}`,
      'hosts.h2': `127.0.0.1:${places[1].port()}`,
      'client.type': 'default_loadbalance',
      'connect-timeout': '2000',
      'request-timeout': '2000',
    },
  })
  for (let kill = 0; kill < kills; kill += 1) {
    await pause(everyMs)
    const victim = kill % 2
    await agents[victim]?.kill()
    const agent = await places[victim]?.runProcess('Millrace')
    if (agent) agents[victim] = agent
  }
  await javaPeer(version).endSending(name)
  const record = await sending
  const stored = () => places.flatMap((place) => place.stored())
  await until(() => new Set(numbersOf(name, stored())).size >= record.acknowledged, {
    timeoutMs: 60_000,
    what: () => `${record.acknowledged} events, stored are ${stored().length}`,
  })
  for (const agent of agents) await agent.stop()
  const failures = Object.values(record.failures).reduce((sum, count) => sum + count, 0)
  // A call whose answer the kill cut off goes to the other agent, and the sink's transaction is repeated.
  const most = kills * (BATCH + STORE_BATCH)
  const { doubles } = audit(record, stored(), { ordered: false, doubles: most })
  return { acknowledged: record.acknowledged, doubles, failures }
}

const makePlace = () => Place.make({ durable: true, storeBatch: STORE_BATCH })
