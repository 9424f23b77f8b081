import {
  type ComponentDefinition,
  type Source,
  SourceCounters,
  type NamedBySource,
  type StopOptions,
} from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import { type Clock, systemClock } from '@millrace/runtime'
import { until } from '../until.js'
import type { Startable } from './lifecycle.js'
import { type CounterName, createContext, type Settings } from './making.js'
import { bodiesOf } from './numbered-events.js'

/** Whatever brings a source its events, made anew for each test. Only `settings` is needed. */
export interface SourcePeer {
  readonly settings: Settings
  /**
   * Sends events with these bodies; resolves when the source has acknowledged them all, rejects when
   * it refuses or is not there. Without it the source makes its events by itself, when it is asked.
   */
  send?(bodies: readonly string[]): Promise<void>
  /**
   * In place of `send`: leaves events where the source finds them by itself, in a file for example.
   */
  leave?(bodies: readonly string[]): Promise<void> | void
  /**
   * Sends as much as the source takes, without waiting for answers, until the signal is aborted, and
   * tells the bytes that went out each time that some did.
   */
  flood?(signal: AbortSignal, onSent: (bytes: number) => void): Promise<void>
  close?(): Promise<void> | void
}

export interface SourceContract {
  readonly definition: ComponentDefinition<'source'>
  readonly open: () => Promise<SourcePeer> | SourcePeer
  /** Counters that accepted events move. Default those of received and accepted events. */
  readonly counts?: readonly CounterName<SourceCounters>[]
  /** Whether a refusal reaches the sender (default), or the source repeats the delivery by itself. */
  readonly tellsRefusal?: boolean
  /** Whether it acknowledges, while it stops, what is stored in time. Default true. */
  readonly answersAtStop?: boolean
  /** Most bytes that the source and the sockets hold while nothing is delivered. Default 64 MiB. */
  readonly maxFloodBytes?: number
  readonly clock?: Clock
  /** For a source whose options name something: how that is made. */
  readonly named?: Partial<NamedBySource>
}

type Answer = (batch: EventBatch, signal?: AbortSignal) => Promise<void>

const accept: Answer = () => Promise.resolve()
const LIVE = new AbortController().signal

/** A source, its peer, and what it has delivered. */
export class SourceFixture implements Startable {
  readonly source: Source
  readonly peer: SourcePeer
  readonly settings: Settings
  readonly counters = new SourceCounters()
  /** Bodies of all deliveries that were accepted, in order. */
  readonly delivered: string[] = []
  /** Bodies of all deliveries, refused ones too. */
  readonly offered: string[] = []
  /** Deliveries that have begun. */
  calls = 0
  /** How deliveries are answered from now on. */
  answer: Answer = accept

  constructor(contract: SourceContract, peer: SourcePeer) {
    const { definition, clock = systemClock, named = {} } = contract
    this.peer = peer
    this.settings = peer.settings
    const missing = (): never => {
      throw new TypeError('The contract has none of this kind')
    }
    this.source = definition.create({
      ...createContext(definition, peer.settings, { clock }),
      createDeserializer: missing,
      createHttpHandler: missing,
      ...named,
    })
  }

  static async open(contract: SourceContract): Promise<SourceFixture> {
    return new SourceFixture(contract, await contract.open())
  }

  async start(signal: AbortSignal): Promise<void> {
    const deliver = async (batch: EventBatch, deliverSignal?: AbortSignal) => {
      const bodies = bodiesOf(batch)
      this.calls += 1
      this.offered.push(...bodies)
      await this.answer(batch, deliverSignal)
      this.delivered.push(...bodies)
    }
    const { counters } = this
    await this.source.start?.({ signal, deliver, counters, fail: () => {} })
  }

  async stop(options: StopOptions): Promise<void> {
    await this.source.stop?.(options)
  }

  async close(): Promise<void> {
    this.answer = accept
    await this.source.stop?.({ deadlineMs: 1_000 })
    await this.peer.close?.()
  }

  /** Has the peer send or leave the bodies, and asks a source that wants to be asked for a round. */
  async bring(bodies: readonly string[]): Promise<void> {
    const { peer, source, delivered } = this
    if (peer.send) return peer.send(bodies)
    const wanted = delivered.length + bodies.length
    await peer.leave?.(bodies)
    if (source.process) await source.process(LIVE)
    else if (peer.leave) await until(() => delivered.length >= wanted, { what: 'the deliveries' })
    else throw new TypeError('The peer of an event driven source must be able to send or leave')
  }
}
