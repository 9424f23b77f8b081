/** What every monitor promises: it shows what the agent counts, starts, and stops without a trace. */
import {
  ChannelCounters,
  type ComponentDefinition,
  type Monitor,
  type MonitoredAgent,
} from '@millrace/component'
import { until } from '../until.js'
import { definitionCases } from './definition.js'
import { lifecycleCases, type Startable } from './lifecycle.js'
import { createContext, type Settings } from './making.js'
import { type TestGlobals, testGlobals } from './test-globals.js'

/** Where a monitor sends to, or is asked. */
export interface MonitorPeer {
  readonly settings: Settings
  /** Everything that the monitor has shown by now, as text. */
  readonly shown: (monitor: Monitor) => string | Promise<string>
  readonly close?: () => unknown
}

export interface MonitorContract {
  readonly definition: ComponentDefinition<'monitor'>
  readonly open: () => MonitorPeer | Promise<MonitorPeer>
}

/** An agent with one channel that holds 4,711 events. */
function monitoredAgent(): MonitoredAgent {
  const counters = new ChannelCounters()
  counters.timeInChannel.observe(20, 3)
  return {
    metrics: () => ({ 'CHANNEL.c1': { Type: 'CHANNEL', ChannelSize: '4711' } }),
    histograms: () => [
      { component: 'CHANNEL.c1', name: 'time_in_channel', histogram: counters.timeInChannel },
    ],
    health: () => ({ status: 'ok', isReady: true, components: { 'channel c1': 'running' } }),
  }
}

const LIVE = new AbortController().signal

/** Declares the tests of a monitor. Call it at the top of a mocha test file, or in a `describe`. */
export function monitorContract(
  contract: MonitorContract,
  globals: TestGlobals = testGlobals(),
): void {
  const { definition } = contract

  async function open(): Promise<Startable & { monitor: Monitor; peer: MonitorPeer }> {
    const peer = await contract.open()
    const context = createContext(definition, peer.settings)
    const monitor = definition.create({ ...context, monitored: monitoredAgent() })
    return {
      monitor,
      peer,
      start: async (signal) => monitor.start?.({ signal, fail: () => {} }),
      stop: async (options) => monitor.stop?.(options),
      close: async () => {
        await monitor.stop?.({ deadlineMs: 1_000 })
        await peer.close?.()
      },
    }
  }

  globals.describe(`monitor ${definition.alias ?? definition.classNames[0]}`, () => {
    definitionCases(
      definition,
      async () => {
        const peer = await contract.open()
        return { settings: peer.settings, close: async () => void (await peer.close?.()) }
      },
      globals,
    )
    lifecycleCases(open, globals)
    globals.it('shows the counters of the agent, again after another start', async () => {
      const { monitor, peer, start, stop, close } = await open()
      try {
        for (let round = 0; round < 2; round += 1) {
          await start(LIVE)
          await until(async () => (await peer.shown(monitor)).includes('4711'), {
            what: 'the size of the channel to be shown',
          })
          await stop({ deadlineMs: 1_000 })
        }
      } finally {
        await close()
      }
    })
  })
}
