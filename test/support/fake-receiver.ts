import {
  Appender,
  type AppenderDefaults,
  type AppenderOptions,
  LOG4J_LEVEL,
} from '@millrace/appender'
import type { LogRecord } from '@millrace/appender'
import type { ByteWriter, EventBatch } from '@millrace/event'
import { RpcError } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'

export type Answer = 'ok' | 'failed' | 'lost' | 'lost after storing' | 'silent'

/** A receiver without a network: what it answers is up to the test. */
export class FakeReceiver {
  isUp = true
  /** Decides about each batch, by the bodies of its events. */
  answer: (bodies: readonly string[]) => Answer | Promise<Answer> = () => 'ok'
  /** Acknowledged batches. */
  readonly batches: string[][] = []
  /** All batches that arrived, refused ones too. */
  readonly arrived: string[][] = []
  connects = 0
  attempts = 0
  readonly connections = new Set<{ isActive: boolean; fail: (error: Error) => void }>()

  /** Bodies of all acknowledged events. */
  get stored(): string[] {
    return this.batches.flat()
  }

  connect() {
    this.attempts += 1
    if (!this.isUp) throw new RpcError('MILLRACE_RPC_CONNECT', 'refused')
    this.connects += 1
    const connection = { isActive: true, fail: (_error: Error) => {} }
    this.connections.add(connection)
    const { connections } = this
    const take = this.#take.bind(this)
    return {
      get isActive() {
        return connection.isActive
      },
      close: () => {
        connection.isActive = false
        connection.fail(new RpcError('MILLRACE_RPC_CLOSED', 'closed'))
        connections.delete(connection)
        return Promise.resolve()
      },
      appendBatch: (batch: EventBatch) =>
        new Promise<void>((resolve, reject) => {
          connection.fail = (error) => {
            connection.isActive = false
            reject(error)
          }
          void take(bodiesOf(batch), { resolve, reject: connection.fail })
        }),
    }
  }

  /** Breaks every connection, as a receiver that dies does. */
  kill(): void {
    this.isUp = false
    for (const connection of this.connections) {
      connection.isActive = false
      connection.fail(new RpcError('MILLRACE_RPC_CLOSED', 'killed'))
    }
    this.connections.clear()
  }

  async #take(
    bodies: string[],
    call: { resolve: () => void; reject: (error: Error) => void },
  ): Promise<void> {
    this.arrived.push(bodies)
    const answer = await this.answer(bodies)
    if (answer === 'ok' || answer === 'lost after storing') this.batches.push(bodies)
    if (answer === 'ok') call.resolve()
    else if (answer === 'failed') {
      call.reject(new RpcError('MILLRACE_RPC_REMOTE_FAILED', 'FAILED'))
    } else if (answer !== 'silent') call.reject(new RpcError('MILLRACE_RPC_CLOSED', 'lost'))
  }
}

export interface Bench {
  readonly clock: FakeClock
  readonly appender: Appender
  readonly receivers: Record<string, FakeReceiver>
  readonly diagnostics: { kind: string; message: string; count: number }[]
}

/** An appender on a clock that the test turns, and a fake receiver for each of its hosts. */
export function bench(
  options: Partial<AppenderOptions> = {},
  defaults: Partial<AppenderDefaults> = {},
): Bench {
  const clock = new FakeClock()
  const receivers: Record<string, FakeReceiver> = {}
  const diagnostics: Bench['diagnostics'] = []
  const appender = new Appender(
    { hosts: ['a:1'], onDiagnostic: (one) => diagnostics.push(one), ...options },
    {
      loggerName: 'test',
      mapper: plainMapper,
      clock,
      random: () => 0.5,
      connect: async ({ host }) => receiver(receivers, host).connect(),
      ...defaults,
    },
  )
  for (const { host } of appender.state().hosts) receiver(receivers, host.split(':')[0] ?? '')
  return { clock, appender, receivers, diagnostics }
}

export function record(
  text: string,
  level: number = LOG4J_LEVEL.INFO,
  loggerName = 'l',
): LogRecord {
  return { timestampMs: 0, level, levelName: 'info', loggerName, text }
}

/** The text as body, and no headers. */
export const plainMapper = {
  encode({ text }: LogRecord, writer: ByteWriter): void {
    writer.writeVarint(0)
    if (typeof text === 'string') writer.writeString(text)
    else writer.writeBytes(text)
  },
}

export function bodiesOf(batch: EventBatch): string[] {
  return Array.from({ length: batch.size }, (_, i) => batch.bodyAt(i).toString())
}

/** accepted + recovered − all that they can have become: always 0. */
export function imbalance(appender: Appender): number {
  const state = appender.state()
  const dropped = Object.values(state.dropped).reduce((sum, count) => sum + count, 0)
  const waiting = state.queued + state.spooled + state.inFlight
  const settled = state.delivered + state.deadLettered + dropped
  return state.accepted + state.recovered - settled - waiting
}

export function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => String(from + i))
}

function receiver(receivers: Record<string, FakeReceiver>, name: string): FakeReceiver {
  const known = receivers[name] ?? new FakeReceiver()
  receivers[name] = known
  return known
}
