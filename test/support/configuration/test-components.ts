import {
  defineChannel,
  defineInterceptor,
  defineSelector,
  defineSerializer,
  defineSink,
  defineSinkProcessor,
  defineSource,
  option,
} from '@millrace/component'
import type { BuiltinComponent } from '@millrace/agent-core'

/** Components whose only purpose is to be configured. */
const source = defineSource({
  alias: 'line_in',
  classNames: ['org.example.LineInSource'],
  summary: 'A source.',
  options: {
    bind: option.string('bind', { description: 'Address.', required: true }),
    port: option.int('port', { description: 'Port.', required: true, min: 1, max: 65_535 }),
    threads: option.int('threads', { description: 'Threads.', noEffect: 'there is one' }),
    batchSize: option.int('batch-size', { description: 'Batch.', default: 1, min: 1 }),
    include: option.list('include', { description: 'Names.', unsupported: 'names are not taken' }),
    isLoud: option.bool('loud', { description: 'Loud.', default: false }),
  },
  batchSize: ({ batchSize }) => ({ key: 'batch-size', events: batchSize }),
  create: () => ({}),
})

const channel = defineChannel({
  alias: 'tank',
  classNames: ['org.example.TankChannel'],
  summary: 'A channel.',
  options: {
    capacity: option.int('capacity', { description: 'Events.', default: 100, min: 1 }),
    transactionCapacity: option.int('transactionCapacity', {
      description: 'Events of one transaction.',
      default: 100,
      min: 1,
    }),
    keepAliveMs: option.duration('keep-alive', { description: 'Wait.', default: 3, unit: 's' }),
  },
  check: ({ capacity, transactionCapacity }) =>
    transactionCapacity > capacity
      ? [{ key: 'transactionCapacity', message: `exceeds the capacity ${capacity}` }]
      : [],
  transactionCapacity: ({ transactionCapacity }) => transactionCapacity,
  create: () => {
    throw new Error('only configured, never made')
  },
})

const sink = defineSink({
  alias: 'line_out',
  classNames: ['org.example.LineOutSink'],
  summary: 'A sink.',
  options: {
    directory: option.string('sink.directory', { description: 'Directory.', required: true }),
    batchSize: option.int('batch-size', { description: 'Batch.', default: 100, adjustBelow: 1 }),
    timeoutMs: option.duration('timeout', {
      description: 'Limit.',
      default: 20_000,
      unit: 'ms',
      adjustBelow: 1_000,
    }),
    storeType: option.enum('store-type', ['PEM'], {
      description: 'Store.',
      shownDefault: 'JKS',
      shownType: 'string',
      refused: { values: ['JKS'], reason: 'stores cannot be read; use PEM', classNames: true },
    }),
    password: option.string('password', { description: 'Secret.', secret: true }),
    pin: option.int('pin', { description: 'Secret.', secret: true }),
    serializer: option.component('sink.serializer', {
      description: 'Form of the file.',
      kind: 'serializer',
      prefix: 'sink.serializer.',
      default: 'PLAIN',
    }),
    namer: option.map('sink.namer.*', {
      description: 'Settings.',
      unsupported: 'other namers are not taken',
    }),
    extension: option.string('sink.namer.extension', { description: 'Extension.', default: '' }),
  },
  batchSize: ({ batchSize }) => ({ key: 'batch-size', events: batchSize }),
  create: () => ({ batchSize: 1, write: async () => {} }),
})

const serializer = defineSerializer({
  alias: 'plain',
  classNames: [],
  summary: 'A serializer.',
  options: {
    appendNewline: option.bool('appendNewline', { description: 'Newline.', default: true }),
  },
  create: () => ({ serialize: () => Buffer.alloc(0) }),
})

const stamp = defineInterceptor({
  alias: 'stamp',
  classNames: ['org.example.StampInterceptor$Builder'],
  summary: 'An interceptor.',
  options: { header: option.string('header', { description: 'Header.', default: 'stamp' }) },
  create: () => ({ intercept: (batch) => batch }),
})

const replicating = defineSelector({
  alias: 'replicating',
  classNames: [],
  summary: 'A selector.',
  options: { optional: option.list('selector.optional', { description: 'Optional channels.' }) },
  check: ({ optional }, { channels }) =>
    optional
      .filter((name) => !channels.includes(name))
      .map((name) => ({
        key: 'selector.optional',
        code: 'MILLRACE_CONFIG_UNKNOWN_NAME',
        message: `${name} is no channel of the source`,
      })),
  create: () => ({ route: () => [] }),
})

const byHeader = defineSelector({
  alias: 'by_header',
  classNames: [],
  summary: 'A selector.',
  options: {
    header: option.string('selector.header', { description: 'Header.', required: true }),
    mapping: option.map('selector.mapping.*', { description: 'Channels by value.' }),
  },
  create: () => ({ route: () => [] }),
})

const standard = defineSinkProcessor({
  alias: 'default',
  classNames: [],
  summary: 'A processor.',
  options: {},
  check: (_, { sinks }) =>
    sinks.length > 1 ? [{ key: 'processor.type', message: 'takes one sink' }] : [],
  create: () => ({ process: async () => 'ready' }),
})

const ranked = defineSinkProcessor({
  alias: 'ranked',
  classNames: [],
  summary: 'A processor.',
  options: {
    priorities: option.intMap('processor.priority.<sink>', { description: 'Priority of a sink.' }),
    maxPenaltyMs: option.duration('processor.maxpenalty', {
      description: 'Longest.',
      default: 30_000,
      unit: 'ms',
    }),
  },
  create: () => ({ process: async () => 'ready' }),
})

export const testComponents: readonly BuiltinComponent[] = [
  source,
  channel,
  sink,
  serializer,
  stamp,
  replicating,
  byHeader,
  standard,
  ranked,
].map((definition) => ({
  kind: definition.kind,
  alias: definition.alias ?? '',
  classNames: definition.classNames,
  load: async () => definition,
}))
