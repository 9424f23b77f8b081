import assert from 'node:assert/strict'
import {
  type Channel,
  ChannelCounters,
  type ComponentDefinition,
  type Reservation,
  type ReserveOptions,
  type TakeLimit,
  type Transaction,
} from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import { MillraceError } from '@millrace/runtime'
import { FakeClock } from '../fake-clock.js'
import type { Startable } from './lifecycle.js'
import { createContext, type Settings } from './making.js'
import { resolved } from './settling.js'

/** Limits that the suite gives the channel. */
export interface ChannelLimits {
  readonly capacity: number
  readonly transactionCapacity: number
  readonly keepAliveS: number
}

export interface ChannelContract {
  readonly definition: ComponentDefinition<'channel'>
  /** Whether the channel is to be durable: another object with the same settings has its events. Default no. */
  readonly isDurable?: boolean
  /** Further settings, such as a directory of its own for each call, and how to clear them away. */
  readonly open?: () => Promise<{ readonly settings?: Settings; close?(): Promise<void> }>
  /** How the limits are written. Default `capacity`, `transactionCapacity` and `keep-alive`. */
  readonly limits?: (limits: ChannelLimits) => Settings
}

export const LIMITS: ChannelLimits = { capacity: 100, transactionCapacity: 20, keepAliveS: 3 }

const flumeNames = (limits: ChannelLimits): Settings => ({
  capacity: String(limits.capacity),
  transactionCapacity: String(limits.transactionCapacity),
  'keep-alive': String(limits.keepAliveS),
})

/** A channel with what a test does to it. */
export interface ChannelFixture extends Startable {
  readonly channel: Channel
  readonly counters: ChannelCounters
  readonly clock: FakeClock
  readonly settings: Settings
  /** Room for the batch, then its put. */
  readonly put: (batch: EventBatch, options?: Partial<ReserveOptions>) => Promise<void>
  readonly reserve: (batch: EventBatch, options?: Partial<ReserveOptions>) => Promise<Reservation>
  readonly take: (
    limit?: Partial<TakeLimit>,
    signal?: AbortSignal,
  ) => Promise<Transaction | undefined>
  /** A take that must find something. */
  readonly taken: (maxEvents: number) => Promise<Transaction>
  /** Another channel object with the same settings, not started. */
  readonly another: () => ChannelFixture
}

const LIVE = new AbortController().signal

export async function openChannel(contract: ChannelContract): Promise<ChannelFixture> {
  const opened = await contract.open?.()
  const limits = (contract.limits ?? flumeNames)(LIMITS)
  const settings = { ...limits, ...opened?.settings }
  return makeChannel(contract, settings, async () => opened?.close?.())
}

function makeChannel(
  contract: ChannelContract,
  settings: Settings,
  closePeer: () => Promise<void>,
): ChannelFixture {
  const clock = new FakeClock()
  const channel = contract.definition.create(
    createContext(contract.definition, settings, { clock }),
  )
  const counters = new ChannelCounters()
  const reserve: ChannelFixture['reserve'] = (batch, { wait = false, signal = LIVE } = {}) =>
    channel.reserve({ events: batch.size, bytes: batch.retainedBytes }, { wait, signal })
  const take: ChannelFixture['take'] = (limit = {}, signal = LIVE) =>
    channel.take(
      { maxEvents: LIMITS.transactionCapacity, maxBytes: 1e9, waitMs: 0, ...limit },
      signal,
    )
  return {
    channel,
    counters,
    clock,
    settings,
    reserve,
    take,
    put: async (batch, options) => (await reserve(batch, options)).put(batch),
    taken: async (maxEvents) => {
      const transaction = await resolved(take({ maxEvents }), 'take')
      assert.ok(transaction, 'the channel gives events')
      return transaction
    },
    start: async (signal) => {
      await channel.start?.({ signal, counters, fail: assert.fail })
    },
    stop: async (options) => {
      await channel.stop?.(options)
    },
    close: async () => {
      await channel.stop?.({ deadlineMs: 1_000 })
      await closePeer()
    },
    another: () => makeChannel(contract, settings, async () => {}),
  }
}

/** Whether an error has the code and says rightly whether a retry can help. */
export function assertCode(error: unknown, code: string, retryable: boolean): void {
  assert.ok(MillraceError.is(error), `an error of Millrace, not ${String(error)}`)
  assert.equal(error.code, code)
  assert.equal(error.retryable, retryable, `${code} is ${retryable ? '' : 'not '}worth a retry`)
}
