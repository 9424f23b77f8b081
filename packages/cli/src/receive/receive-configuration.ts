/** The agent behind `millrace receive`: an avro source, a memory channel, the sink that shows and keeps. */
import { type AgentConfiguration, builtinComponents } from '@millrace/agent-core'
import type { ComponentDefinition, ComponentKind, OptionSpec, Source } from '@millrace/component'
import { ConfigurationError, messageOf } from '@millrace/runtime'
import { receiveSinkDefinition, type ReceiveSink } from './receive-sink.js'

/** Events that may wait for the terminal; beyond it the senders wait. */
const CHANNEL_CAPACITY = 100_000
/** The largest batch that is taken. */
const TRANSACTION_CAPACITY = 10_000

export interface ReceiveConfigurationOptions {
  readonly host: string
  readonly port: number
  readonly sink: ReceiveSink
}

export async function receiveConfiguration(
  options: ReceiveConfigurationOptions,
): Promise<AgentConfiguration> {
  const { host, port, sink } = options
  const [source, channel, selector] = await Promise.all([
    builtin('source', 'avro'),
    builtin('channel', 'memory'),
    builtin('selector', 'replicating'),
  ])
  const at = { file: 'millrace receive', line: 1 }
  const configure = <K extends ComponentKind>(
    name: string,
    definition: ComponentDefinition<K>,
    set: Readonly<Record<string, unknown>> = {},
  ) => ({
    name,
    type: definition.alias ?? name,
    definition,
    options: { ...fallbacks(definition), ...set },
    ...at,
  })
  return {
    agent: 'receive',
    sources: [
      {
        ...configure('avro', failingAtOnce(source), { bind: host, port }),
        channels: ['memory'],
        selector: configure('selector', selector),
        interceptors: [],
      },
    ],
    channels: [
      configure('memory', channel, {
        capacity: CHANNEL_CAPACITY,
        transactionCapacity: TRANSACTION_CAPACITY,
      }),
    ],
    sinks: [
      {
        ...configure('show', receiveSinkDefinition(sink)),
        channel: 'memory',
        serializer: undefined,
      },
    ],
    sinkGroups: [],
  }
}

/** Makes the source's first failure to start final: a port in use is to be said, not waited for. */
function failingAtOnce(definition: ComponentDefinition<'source'>): ComponentDefinition<'source'> {
  const create = (context: Parameters<typeof definition.create>[0]): Source => {
    const source = definition.create(context)
    const start = source.start?.bind(source)
    if (start) {
      source.start = (started) =>
        start(started).catch((cause: unknown) => {
          throw new ConfigurationError('MILLRACE_CONFIG_INVALID', messageOf(cause), { cause })
        })
    }
    return source
  }
  return { ...definition, create }
}

async function builtin<K extends ComponentKind>(
  kind: K,
  alias: string,
): Promise<ComponentDefinition<K>> {
  const entry = builtinComponents.find((each) => each.kind === kind && each.alias === alias)
  if (!entry) throw new TypeError(`There is no ${kind} ${alias}`)
  return (await entry.load()) as ComponentDefinition<K>
}

function fallbacks(definition: ComponentDefinition): Readonly<Record<string, unknown>> {
  const specs = Object.entries<OptionSpec<unknown>>(definition.options)
  return Object.fromEntries(specs.map(([name, spec]) => [name, spec.fallback]))
}
