/** The contracts between the agent and its components. A component never imports the agent. */
import type { EventBatch } from '@millrace/event'
import type { ChannelCounters, SinkCounters, SourceCounters } from './counters.js'
import type { Histogram } from './histogram.js'

/** What a component gets when it starts. */
export interface StartContext {
  /** Aborted when the start is given up. */
  readonly signal: AbortSignal
  /**
   * Tells the agent that the component broke after it had started. It is then stopped, and started
   * again with back-off, for ever. Calling it twice is the same as once.
   */
  fail(error: unknown): void
}

/**
 * Anything that the agent starts and stops. `stop` may be called twice, before `start`, and after a
 * `start` that failed; it resolves within its deadline. `start` may follow `stop`.
 */
export interface Component<Context extends StartContext = StartContext> {
  start?(context: Context): Promise<void>
  stop?(options: StopOptions): Promise<void>
}

export interface StopOptions {
  /** Milliseconds until the agent goes on without the component. */
  readonly deadlineMs: number
}

/**
 * Hands a batch to the source's channels, interceptors first. Resolves once every required channel
 * has stored it; batches are stored in the order of the calls, also when calls overlap.
 * @throws ChannelError when a channel refuses; `retryable` says whether a retry can help. Nothing
 *   of a refused batch is visible, unless the storage of one of several channels failed midway.
 */
export type Deliver = (batch: EventBatch, signal?: AbortSignal) => Promise<void>

export interface SourceStartContext extends StartContext {
  readonly deliver: Deliver
  readonly counters: SourceCounters
}

/** Brings events in by itself (Flume's EventDrivenSource). Stops accepting when it is stopped. */
export interface EventDrivenSource extends Component<SourceStartContext> {
  readonly process?: never
}

/** Is asked for events, again and again, by the agent (Flume's PollableSource). */
export interface PollableSource extends Component<SourceStartContext> {
  /** One round. `backoff`: there was nothing to do, so the agent waits a little, and longer each time. */
  process(signal: AbortSignal): Promise<'ready' | 'backoff'>
  /** Growth of the wait for each round in a row that had nothing to do, in milliseconds. Default 1,000. */
  readonly backoffSleepIncrementMs?: number
  /** Longest wait, also after an unexpected error, in milliseconds. Default 5,000. */
  readonly maxBackoffSleepMs?: number
  /**
   * Waits after a round that had nothing to do, at most `maxMs`, and returns early when it learns of
   * something to do. Without it the agent waits the whole time.
   */
  idle?(maxMs: number, signal: AbortSignal): Promise<void>
}

export type Source = EventDrivenSource | PollableSource

/** Edits or drops events on their way from a source to its channels. */
export interface Interceptor extends Component {
  /** Figures for `/metrics`, which shows them with their source's, as `<interceptor>.<name>`. */
  readonly metrics?: Readonly<Record<string, number>>
  /** What it leaves out counts as accepted. A throw refuses the whole batch. */
  intercept(batch: EventBatch, signal: AbortSignal): EventBatch | Promise<EventBatch>
}

/** A part of a batch and where it goes. */
export interface Route {
  readonly batch: EventBatch
  /** Names of the channels that must store it. */
  readonly required: readonly string[]
  /** Names of the channels that may fail to. */
  readonly optional: readonly string[]
}

/** Says which channels a source's events go to. */
export interface ChannelSelector {
  route(batch: EventBatch): readonly Route[]
}

/** Room for a batch in a channel. It is either used by one `put` or given back. */
export interface Reservation {
  /** Stores the batch, all or nothing; resolves when it is stored as the channel promises. */
  put(batch: EventBatch): Promise<void>
  /** Gives the room back. After `put` it does nothing. */
  release(): void
}

/** Events taken from a channel, not yet done with. One of `commit` and `rollback` ends it. */
export interface Transaction {
  readonly batch: EventBatch
  /** The events are done for this consumer, except those at the given indexes: they go back to the head. */
  commit(options?: { readonly except?: readonly number[] }): Promise<void>
  /** All events go back to the head of the channel, in their order. */
  rollback(): Promise<void>
}

export interface ChannelStartContext extends StartContext {
  readonly counters: ChannelCounters
}

/** What a batch takes up. */
export interface BatchSize {
  readonly events: number
  /** Memory that it keeps alive (`EventBatch.retainedBytes`). */
  readonly bytes: number
  /** Length of the encoded events (`EventBatch.byteLength`), for a channel that copies them. Default `bytes`. */
  readonly encodedBytes?: number
}

export interface ReserveOptions {
  /** Whether to wait for room, up to the channel's `keep-alive`. */
  readonly wait: boolean
  readonly signal: AbortSignal
}

export interface TakeLimit {
  readonly maxEvents: number
  /** One event is given whatever its size. */
  readonly maxBytes: number
  /** How long to wait for the first event, in milliseconds. */
  readonly waitMs: number
}

/** Holds events between sources and sinks. Order in is order out. */
export interface Channel extends Component<ChannelStartContext> {
  /** Whether what `put` resolved survives the process. */
  readonly isDurable: boolean
  /** Figures beside the counters, under the names that `/metrics` gives them. */
  readonly metrics?: Readonly<Record<string, number | boolean>>
  /** Most events of one put or take. */
  readonly transactionCapacity: number
  /** How long a put waits for room and a take for an event, in milliseconds (`keep-alive`). */
  readonly keepAliveMs: number
  /** What is in the channel now, taken but uncommitted events included. */
  readonly size: { readonly events: number; readonly bytes: number }
  /**
   * Room for one put. The stored order is the order of the `put` calls; a reservation that waits
   * does not hold up smaller ones for ever: first come, first served.
   * @throws ChannelError `MILLRACE_CHANNEL_FULL` (retryable), `…_TRANSACTION_TOO_LARGE`, `…_CLOSED`.
   */
  reserve(size: BatchSize, options: ReserveOptions): Promise<Reservation>
  /** Resolves as soon as one event is there, or with undefined when none came within `waitMs`. */
  take(limit: TakeLimit, signal: AbortSignal): Promise<Transaction | undefined>
  /**
   * Takes new options while it goes on holding its events. A channel that has this stays over a
   * reload that keeps its name and type, unless `canReconfigure` says no; another one is stopped and
   * made anew.
   */
  reconfigure?(options: Readonly<Record<string, unknown>>): void
  /** Whether `reconfigure` can take these options. A channel without this takes all. */
  canReconfigure?(options: Readonly<Record<string, unknown>>): boolean
}

export interface SinkStartContext extends StartContext {
  readonly counters: SinkCounters
  /**
   * Whether the sink's channel is durable: events that it gives survive until they are committed, so
   * a sink that resolves before they are on disk at their destination would be the weakest link.
   */
  readonly isChannelDurable: boolean
}

/** Events that can never be stored at the destination. */
export interface WriteResult {
  readonly rejected: readonly { readonly index: number; readonly reason: string }[]
}

/** Hands events to a destination. It never sees a transaction: the agent's sink runner owns it. */
export interface Sink extends Component<SinkStartContext> {
  /** Most events of one `write`. */
  readonly batchSize: number
  /**
   * Resolves when the events are safe at the destination, except those it lists as rejected.
   * A throw means that nothing is known to be stored: the agent rolls back, waits and repeats.
   */
  write(batch: EventBatch, signal: AbortSignal): Promise<WriteResult | void>
}

/** A sink as a processor sees it. */
export interface SinkHandle {
  readonly name: string
}

/** `ready`: events were written. `backoff`: the sink's channel had none. */
export type Outcome = 'ready' | 'backoff'

/** Chooses which sink of a group works next. */
export interface SinkProcessor {
  /**
   * One round. `attempt` lets one sink take, write and commit; it throws when the sink failed.
   * @throws EventDeliveryError when no sink could take the events.
   */
  process(attempt: (sink: SinkHandle) => Promise<Outcome>, signal: AbortSignal): Promise<Outcome>
}

/** A file that is read and does not change meanwhile. */
export interface InputFile {
  readonly path: string
  /** Length in bytes. */
  readonly size: number
  /** Where to begin: 0, or a position that an earlier reader of the file gave. */
  readonly start: number
  /** The character set of its text, as the user named it. */
  readonly charset: string
  /** What to do with bytes that are no text of that set: fail, read them as U+FFFD, or leave them out. */
  readonly decodeErrorPolicy: 'FAIL' | 'REPLACE' | 'IGNORE'
  /** Longest line in characters, where the source's own options say it. */
  readonly maxLineLength?: number | undefined
  /** Fills the buffer from an offset on; gives how many bytes that were, fewer only at the end. */
  read(into: Buffer, offset: number): Promise<number>
}

export interface DeserializedEvents {
  /** Empty at the end of the file. */
  readonly batch: EventBatch
  /** Where to begin once the batch is stored: what lies in front is never read again. */
  readonly position: number
}

/** Reads the bytes of a file as events (Flume's EventDeserializer). One object per file. */
export interface EventDeserializer {
  /**
   * The next events, at most so many.
   * @throws an error when the file cannot be read on. It is set aside then.
   */
  read(maxEvents: number): Promise<DeserializedEvents>
}

/** A request to the HTTP source. */
export interface HttpSourceRequest {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly query: URLSearchParams
  readonly body: Buffer
}

/** Makes events of an HTTP request (Flume's HTTPSourceHandler). */
export interface HttpSourceHandler {
  /**
   * The events of one request, which are stored together.
   * @throws RequestError, which is answered 400. Any other error is answered 500.
   */
  events(request: HttpSourceRequest): EventBatch | Promise<EventBatch>
}

/** Writes events as the bytes of a file (Flume's EventSerializer). One object per file. */
export interface EventSerializer {
  /** Bytes at the start of a new file. */
  header?(): Buffer
  /** Bytes of a batch, complete: what was written up to here can be read. */
  serialize(batch: EventBatch): Buffer | Promise<Buffer>
  /** Bytes at the end of the file. */
  trailer?(): Buffer
}

/** Attributes by component, as `SOURCE.r1`, `CHANNEL.c1` and `SINK.k1`, under Flume's names; every value is a text. */
export type AgentMetrics = Record<string, Record<string, string>>

export interface AgentHealth {
  /** `ok`: started, and every component runs. */
  readonly status: 'ok' | 'starting' | 'degraded' | 'stopped'
  /** Whether events are taken: it has started, and every source and channel runs. */
  readonly isReady: boolean
  /** State of each component, by `kind name`. */
  readonly components: Readonly<Record<string, string>>
}

/** Durations that a component has seen. */
export interface AgentHistogram {
  /** As in {@link AgentMetrics}. */
  readonly component: string
  readonly name: 'time_in_channel' | 'event_age'
  readonly histogram: Histogram
}

/** What a monitor may look at. Looking changes nothing. */
export interface MonitoredAgent {
  metrics(): AgentMetrics
  histograms(): readonly AgentHistogram[]
  health(): AgentHealth
}

/** Shows or sends what the agent counts (Flume's MonitorService). It begins and ends with the process. */
export interface Monitor extends Component {
  /** Where it listens, once it has started; undefined for one that does not. */
  readonly address?: { readonly host: string; readonly port: number } | undefined
}

/** Looks up what `${filter['key']}` stands for in a configuration (Flume's ConfigFilter). */
export interface ConfigFilter {
  /**
   * The text for a key, or undefined where there is none. It is asked once for each key of a
   * configuration, while that is read; what it throws is a finding.
   */
  filter(key: string, signal: AbortSignal): string | undefined | Promise<string | undefined>
}
