/**
 * Every component that comes with the agent: what may stand as a `type`, and where its definition
 * is. A definition is imported when a configuration names it, never before.
 */
import type { ComponentDefinition, ComponentKind } from '@millrace/component'

export interface BuiltinComponent {
  readonly kind: ComponentKind
  /** The short name, compared without case. */
  readonly alias: string
  /** Flume's class names, compared exactly. */
  readonly classNames: readonly string[]
  load(): Promise<ComponentDefinition>
}

/** Family by family, each in alphabetical order. */
export const builtinComponents: readonly BuiltinComponent[] = [
  {
    kind: 'source',
    alias: 'avro',
    classNames: ['org.apache.flume.source.AvroSource'],
    load: () => import('./sources/avro.js').then((module) => module.avroSource),
  },
  {
    kind: 'source',
    alias: 'netcat',
    classNames: ['org.apache.flume.source.NetcatSource'],
    load: () => import('./sources/netcat.js').then((module) => module.netcatSource),
  },
  {
    kind: 'source',
    alias: 'seq',
    classNames: ['org.apache.flume.source.SequenceGeneratorSource'],
    load: () => import('./sources/seq.js').then((module) => module.seqSource),
  },
  {
    kind: 'sink',
    alias: 'avro',
    classNames: ['org.apache.flume.sink.AvroSink'],
    load: () => import('./sinks/avro.js').then((module) => module.avroSink),
  },
  {
    kind: 'sink',
    alias: 'file_roll',
    classNames: ['org.apache.flume.sink.RollingFileSink'],
    load: () => import('./sinks/file-roll.js').then((module) => module.fileRollSink),
  },
  {
    kind: 'sink',
    alias: 'logger',
    classNames: ['org.apache.flume.sink.LoggerSink'],
    load: () => import('./sinks/logger.js').then((module) => module.loggerSink),
  },
  {
    kind: 'sink',
    alias: 'null',
    classNames: ['org.apache.flume.sink.NullSink'],
    load: () => import('./sinks/null.js').then((module) => module.nullSink),
  },
  {
    kind: 'serializer',
    alias: 'avro_event',
    classNames: ['org.apache.flume.serialization.FlumeEventAvroEventSerializer$Builder'],
    load: () => import('./serializers/avro-event.js').then((module) => module.avroEventSerializer),
  },
  {
    kind: 'serializer',
    alias: 'header_and_text',
    classNames: ['org.apache.flume.serialization.HeaderAndBodyTextEventSerializer$Builder'],
    load: () =>
      import('./serializers/header-and-text.js').then((module) => module.headerAndTextSerializer),
  },
  {
    kind: 'serializer',
    alias: 'text',
    classNames: ['org.apache.flume.serialization.BodyTextEventSerializer$Builder'],
    load: () => import('./serializers/text.js').then((module) => module.textSerializer),
  },
]
