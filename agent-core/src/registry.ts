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
    alias: 'exec',
    classNames: ['org.apache.flume.source.ExecSource'],
    load: () => import('./sources/exec.js').then((module) => module.execSource),
  },
  {
    kind: 'source',
    alias: 'http',
    classNames: ['org.apache.flume.source.http.HTTPSource'],
    load: () => import('./sources/http.js').then((module) => module.httpSource),
  },
  {
    kind: 'source',
    alias: 'multiport_syslogtcp',
    classNames: ['org.apache.flume.source.MultiportSyslogTCPSource'],
    load: () =>
      import('./sources/multiport-syslogtcp.js').then((module) => module.multiportSyslogtcpSource),
  },
  {
    kind: 'source',
    alias: 'netcat',
    classNames: ['org.apache.flume.source.NetcatSource'],
    load: () => import('./sources/netcat.js').then((module) => module.netcatSource),
  },
  {
    kind: 'source',
    alias: 'netcatudp',
    classNames: ['org.apache.flume.source.NetcatUdpSource'],
    load: () => import('./sources/netcatudp.js').then((module) => module.netcatudpSource),
  },
  {
    kind: 'source',
    alias: 'seq',
    classNames: ['org.apache.flume.source.SequenceGeneratorSource'],
    load: () => import('./sources/seq.js').then((module) => module.seqSource),
  },
  {
    kind: 'source',
    alias: 'spooldir',
    classNames: ['org.apache.flume.source.SpoolDirectorySource'],
    load: () => import('./sources/spooldir.js').then((module) => module.spooldirSource),
  },
  {
    kind: 'source',
    alias: 'stress',
    classNames: ['org.apache.flume.source.StressSource'],
    load: () => import('./sources/stress.js').then((module) => module.stressSource),
  },
  {
    kind: 'source',
    alias: 'syslogtcp',
    classNames: ['org.apache.flume.source.SyslogTcpSource'],
    load: () => import('./sources/syslogtcp.js').then((module) => module.syslogtcpSource),
  },
  {
    kind: 'source',
    alias: 'syslogudp',
    classNames: ['org.apache.flume.source.SyslogUDPSource'],
    load: () => import('./sources/syslogudp.js').then((module) => module.syslogudpSource),
  },
  {
    kind: 'source',
    alias: 'TAILDIR',
    classNames: ['org.apache.flume.source.taildir.TaildirSource'],
    load: () => import('./sources/taildir.js').then((module) => module.taildirSource),
  },
  {
    kind: 'channel',
    alias: 'file',
    classNames: ['org.apache.flume.channel.file.FileChannel'],
    load: () => import('./channels/file.js').then((module) => module.fileChannel),
  },
  {
    kind: 'channel',
    alias: 'memory',
    classNames: ['org.apache.flume.channel.MemoryChannel'],
    load: () => import('./channels/memory.js').then((module) => module.memoryChannel),
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
    kind: 'selector',
    alias: 'load_balancing',
    classNames: ['org.apache.flume.channel.LoadBalancingChannelSelector'],
    load: () =>
      import('./selectors/load-balancing.js').then((module) => module.loadBalancingSelector),
  },
  {
    kind: 'selector',
    alias: 'multiplexing',
    classNames: ['org.apache.flume.channel.MultiplexingChannelSelector'],
    load: () => import('./selectors/multiplexing.js').then((module) => module.multiplexingSelector),
  },
  {
    kind: 'selector',
    alias: 'replicating',
    classNames: ['org.apache.flume.channel.ReplicatingChannelSelector'],
    load: () => import('./selectors/replicating.js').then((module) => module.replicatingSelector),
  },
  {
    kind: 'sinkProcessor',
    alias: 'default',
    classNames: ['org.apache.flume.sink.DefaultSinkProcessor'],
    load: () => import('./processors/default.js').then((module) => module.defaultProcessor),
  },
  {
    kind: 'sinkProcessor',
    alias: 'failover',
    classNames: ['org.apache.flume.sink.FailoverSinkProcessor'],
    load: () => import('./processors/failover.js').then((module) => module.failoverProcessor),
  },
  {
    kind: 'sinkProcessor',
    alias: 'load_balance',
    classNames: ['org.apache.flume.sink.LoadBalancingSinkProcessor'],
    load: () =>
      import('./processors/load-balance.js').then((module) => module.loadBalanceProcessor),
  },
  {
    kind: 'interceptor',
    alias: 'host',
    classNames: ['org.apache.flume.interceptor.HostInterceptor$Builder'],
    load: () => import('./interceptors/host.js').then((module) => module.hostInterceptor),
  },
  {
    kind: 'interceptor',
    alias: 'regex_extractor',
    classNames: ['org.apache.flume.interceptor.RegexExtractorInterceptor$Builder'],
    load: () =>
      import('./interceptors/regex-extractor.js').then(
        (module) => module.regexExtractorInterceptor,
      ),
  },
  {
    kind: 'interceptor',
    alias: 'regex_filter',
    classNames: ['org.apache.flume.interceptor.RegexFilteringInterceptor$Builder'],
    load: () =>
      import('./interceptors/regex-filter.js').then((module) => module.regexFilterInterceptor),
  },
  {
    kind: 'interceptor',
    alias: 'remove_header',
    classNames: ['org.apache.flume.interceptor.RemoveHeaderInterceptor$Builder'],
    load: () =>
      import('./interceptors/remove-header.js').then((module) => module.removeHeaderInterceptor),
  },
  {
    kind: 'interceptor',
    alias: 'search_replace',
    classNames: ['org.apache.flume.interceptor.SearchAndReplaceInterceptor$Builder'],
    load: () =>
      import('./interceptors/search-replace.js').then((module) => module.searchReplaceInterceptor),
  },
  {
    kind: 'interceptor',
    alias: 'static',
    classNames: ['org.apache.flume.interceptor.StaticInterceptor$Builder'],
    load: () => import('./interceptors/static.js').then((module) => module.staticInterceptor),
  },
  {
    kind: 'interceptor',
    alias: 'timestamp',
    classNames: ['org.apache.flume.interceptor.TimestampInterceptor$Builder'],
    load: () => import('./interceptors/timestamp.js').then((module) => module.timestampInterceptor),
  },
  {
    kind: 'interceptor',
    alias: 'uuid',
    classNames: ['org.apache.flume.sink.solr.morphline.UUIDInterceptor$Builder'],
    load: () => import('./interceptors/uuid.js').then((module) => module.uuidInterceptor),
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
  {
    kind: 'deserializer',
    alias: 'AVRO',
    classNames: ['org.apache.flume.serialization.AvroEventDeserializer$Builder'],
    load: () => import('./deserializers/avro.js').then((module) => module.avroDeserializer),
  },
  {
    kind: 'deserializer',
    alias: 'BLOB',
    classNames: ['org.apache.flume.sink.solr.morphline.BlobDeserializer$Builder'],
    load: () => import('./deserializers/blob.js').then((module) => module.blobDeserializer),
  },
  {
    kind: 'deserializer',
    alias: 'LINE',
    classNames: ['org.apache.flume.serialization.LineDeserializer$Builder'],
    load: () => import('./deserializers/line.js').then((module) => module.lineDeserializer),
  },
  {
    kind: 'httpHandler',
    alias: 'BLOB',
    classNames: ['org.apache.flume.source.http.BLOBHandler'],
    load: () => import('./http-handlers/blob.js').then((module) => module.blobHandler),
  },
  {
    kind: 'httpHandler',
    alias: 'JSON',
    classNames: ['org.apache.flume.source.http.JSONHandler'],
    load: () => import('./http-handlers/json.js').then((module) => module.jsonHandler),
  },
  {
    kind: 'httpHandler',
    alias: 'MORPHLINE_BLOB',
    classNames: ['org.apache.flume.sink.solr.morphline.BlobHandler'],
    load: () =>
      import('./http-handlers/morphline-blob.js').then((module) => module.morphlineBlobHandler),
  },
  {
    kind: 'monitor',
    alias: 'ganglia',
    classNames: ['org.apache.flume.instrumentation.GangliaServer'],
    load: () => import('./monitors/ganglia.js').then((module) => module.gangliaMonitor),
  },
  {
    kind: 'monitor',
    alias: 'http',
    classNames: ['org.apache.flume.instrumentation.http.HTTPMetricsServer'],
    load: () => import('./monitors/http.js').then((module) => module.httpMonitor),
  },
  {
    kind: 'monitor',
    alias: 'prometheus',
    classNames: ['org.apache.flume.instrumentation.http.PrometheusHTTPMetricsServer'],
    load: () => import('./monitors/prometheus.js').then((module) => module.prometheusMonitor),
  },
  {
    kind: 'configFilter',
    alias: 'env',
    classNames: ['org.apache.flume.configfilter.EnvironmentVariableConfigFilter'],
    load: () => import('./config-filters/env.js').then((module) => module.envConfigFilter),
  },
  {
    kind: 'configFilter',
    alias: 'external',
    classNames: ['org.apache.flume.configfilter.ExternalProcessConfigFilter'],
    load: () =>
      import('./config-filters/external.js').then((module) => module.externalConfigFilter),
  },
]
