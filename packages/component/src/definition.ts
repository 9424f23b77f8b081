/** How a component is made known to the agent: one definition object per component. */
import type { Clock, Logger, Random } from '@millrace/runtime'
import type {
  Channel,
  ChannelSelector,
  ConfigFilter,
  EventDeserializer,
  EventSerializer,
  HttpSourceHandler,
  InputFile,
  Interceptor,
  Monitor,
  MonitoredAgent,
  Sink,
  SinkHandle,
  SinkProcessor,
  Source,
} from './contracts.js'
import type { OptionShape, OptionsOf } from './options.js'

export type ComponentKind =
  | 'source'
  | 'channel'
  | 'sink'
  | 'interceptor'
  | 'selector'
  | 'sinkProcessor'
  | 'serializer'
  | 'deserializer'
  | 'httpHandler'
  | 'monitor'
  | 'configFilter'

/** What a definition makes, by kind. */
export interface Components {
  source: Source
  channel: Channel
  sink: Sink
  interceptor: Interceptor
  selector: ChannelSelector
  sinkProcessor: SinkProcessor
  serializer: EventSerializer
  deserializer: EventDeserializer
  httpHandler: HttpSourceHandler
  monitor: Monitor
  configFilter: ConfigFilter
}

/** What a component gets when it is made. Making one touches nothing: files and sockets wait for `start`. */
export interface CreateContext<S extends OptionShape = OptionShape> {
  readonly agent: string
  /** The component's name in the configuration. */
  readonly name: string
  readonly options: OptionsOf<S>
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
}

/** What else there is for some kinds. */
export interface ExtraContext {
  /** Names of the source's channels, in the order of the file. */
  selector: { readonly channels: readonly string[] }
  /** The group's sinks, in the order of the file. */
  sinkProcessor: { readonly sinks: readonly SinkHandle[] }
  source: NamedBySource
  deserializer: { readonly input: InputFile }
  monitor: { readonly monitored: MonitoredAgent }
  /** Variables of the environment. */
  configFilter: { readonly environment: NodeJS.ProcessEnv }
  /** Makes a serializer for a new file, where the options name one. */
  sink: { readonly createSerializer: () => EventSerializer }
}

/** What a source's options name, where they name something. */
export interface NamedBySource {
  readonly createDeserializer: (input: InputFile) => EventDeserializer
  readonly createHttpHandler: () => HttpSourceHandler
}

type ContextOf<K extends ComponentKind, S extends OptionShape> = CreateContext<S> &
  (K extends keyof ExtraContext ? ExtraContext[K] : unknown)

/** Something wrong with a component's options together. */
export interface Problem {
  /** The key that is wrong, as the definition declares it (for a prefix: the whole key under it). */
  readonly key: string
  readonly message: string
  /** Default `MILLRACE_CONFIG_INVALID`. */
  readonly code?:
    | 'MILLRACE_CONFIG_INVALID'
    | 'MILLRACE_CONFIG_ADJUSTED'
    | 'MILLRACE_CONFIG_MISSING'
    | 'MILLRACE_CONFIG_UNSUPPORTED'
    | 'MILLRACE_CONFIG_UNKNOWN_NAME'
    | 'MILLRACE_CONFIG_NO_EFFECT'
  /** Default error. */
  readonly severity?: 'error' | 'warning'
}

export interface ComponentDefinition<
  K extends ComponentKind = ComponentKind,
  S extends OptionShape = OptionShape,
> {
  readonly kind: K
  /** The short name for `type`; null when only the class names work. */
  readonly alias: string | null
  /** Flume's class names, which work as `type` too. */
  readonly classNames: readonly string[]
  /** One sentence for `millrace help`. */
  readonly summary: string
  /** Whether `/metrics` shows its counters, as in Flume. Default true. */
  readonly isMonitored?: boolean
  readonly options: S
  /** Finds what is wrong with options that are each valid by themselves. */
  check?(options: OptionsOf<S>, wiring: Wiring): readonly Problem[]
  /** Most events that a source or sink moves in one transaction, compared with its channels'. */
  batchSize?(options: OptionsOf<S>): { readonly key: string; readonly events: number }
  /**
   * Directories, as absolute paths, that no other component of the agent may use: a configuration in
   * which two name one is an error.
   */
  directories?(options: OptionsOf<S>): readonly OwnDirectory[]
  /** Most events of one transaction of a channel. */
  transactionCapacity?(options: OptionsOf<S>): number
  create(context: ContextOf<K, S>): Components[K]
}

/** A directory and the key that names it. */
export interface OwnDirectory {
  readonly key: string
  readonly path: string
}

/** Names around a component, for its check. */
export interface Wiring {
  /** Of a selector: the channels of its source. */
  readonly channels: readonly string[]
  /** Of a sink processor: the sinks of its group. */
  readonly sinks: readonly string[]
}

type Given<K extends ComponentKind, S extends OptionShape> = Omit<ComponentDefinition<K, S>, 'kind'>

export const defineSource = <const S extends OptionShape>(
  given: Given<'source', S>,
): ComponentDefinition<'source', S> => ({
  ...given,
  kind: 'source',
})
export const defineChannel = <const S extends OptionShape>(
  given: Given<'channel', S>,
): ComponentDefinition<'channel', S> => ({
  ...given,
  kind: 'channel',
})
export const defineSink = <const S extends OptionShape>(
  given: Given<'sink', S>,
): ComponentDefinition<'sink', S> => ({
  ...given,
  kind: 'sink',
})
export const defineInterceptor = <const S extends OptionShape>(
  given: Given<'interceptor', S>,
): ComponentDefinition<'interceptor', S> => ({ ...given, kind: 'interceptor' })
export const defineSelector = <const S extends OptionShape>(
  given: Given<'selector', S>,
): ComponentDefinition<'selector', S> => ({ ...given, kind: 'selector' })
export const defineSinkProcessor = <const S extends OptionShape>(
  given: Given<'sinkProcessor', S>,
): ComponentDefinition<'sinkProcessor', S> => ({ ...given, kind: 'sinkProcessor' })
export const defineSerializer = <const S extends OptionShape>(
  given: Given<'serializer', S>,
): ComponentDefinition<'serializer', S> => ({ ...given, kind: 'serializer' })
export const defineDeserializer = <const S extends OptionShape>(
  given: Given<'deserializer', S>,
): ComponentDefinition<'deserializer', S> => ({ ...given, kind: 'deserializer' })
export const defineHttpHandler = <const S extends OptionShape>(
  given: Given<'httpHandler', S>,
): ComponentDefinition<'httpHandler', S> => ({ ...given, kind: 'httpHandler' })
export const defineMonitor = <const S extends OptionShape>(
  given: Given<'monitor', S>,
): ComponentDefinition<'monitor', S> => ({ ...given, kind: 'monitor' })
export const defineConfigFilter = <const S extends OptionShape>(
  given: Given<'configFilter', S>,
): ComponentDefinition<'configFilter', S> => ({ ...given, kind: 'configFilter' })
