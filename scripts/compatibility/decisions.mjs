/**
 * What Millrace decided about the settings of Flume 1.11, where its own declarations do not say it. Objects are named
 * `<kind> <alias>`, or by the last part of a class name where there is no alias; `*` stands for any characters.
 */

/** Not part of the everyday agent. `later`: is to come; `refused`: never, for the reason given. */
export const OUT_OF_SCOPE = [
  { topic: 'jms', objects: ['source jms', 'deserializer DEFAULT'], state: 'later' },
  {
    topic: 'Twitter',
    objects: ['source TwitterSource'],
    state: 'refused',
    why: 'the service that it reads is gone',
  },
  {
    topic: 'Kafka',
    objects: ['source KafkaSource', 'sink KafkaSink', 'channel KafkaChannel'],
    state: 'later',
  },
  { topic: 'jdbc', objects: ['channel jdbc'], state: 'later' },
  {
    topic: 'hdfs',
    objects: ['sink hdfs', 'serializer Writable', 'serializer Text'],
    state: 'later',
  },
  {
    topic: 'hive',
    objects: ['sink hive', 'serializer DELIMITED', 'serializer JSON'],
    state: 'later',
  },
  {
    topic: 'hbase',
    objects: ['sink hbase', 'sink hbase2', 'sink asynchbase', 'serializer *H[bB]ase*'],
    state: 'later',
  },
  {
    topic: 'Solr and morphline',
    objects: ['sink morphline_solr', 'interceptor MorphlineInterceptor'],
    state: 'refused',
    why: 'a Morphline is Java code',
  },
  {
    topic: 'Elasticsearch',
    objects: ['sink elasticsearch', 'serializer ElasticSearch*', 'serializer *IndexNameBuilder'],
    state: 'later',
  },
  {
    topic: 'Kite',
    objects: ['sink DatasetSink'],
    state: 'refused',
    why: 'Flume 1.11 removed it, and its library is no longer kept',
  },
  {
    topic: 'Kudu',
    objects: ['sink KuduSink', 'serializer *KuduOperationsProducer'],
    state: 'later',
  },
  {
    topic: 'thrift and the legacy sources',
    objects: ['source thrift', 'sink thrift', 'client thrift', 'source *LegacySource'],
    state: 'later',
  },
  { topic: 'Scribe', objects: ['source ScribeSource'], state: 'later' },
  { topic: 'irc', objects: ['sink irc'], state: 'later' },
  { topic: 'spillablememory', objects: ['channel spillablememory'], state: 'later' },
  {
    topic: 'encryption',
    objects: ['cipherProvider *', 'keyProvider *'],
    properties: ['channel file: encryption.*'],
    state: 'later',
  },
  {
    topic: 'the hadoop filter',
    objects: ['configFilter hadoop'],
    state: 'refused',
    why: 'it needs Hadoop',
  },
  {
    topic: 'ZooKeeper',
    properties: ['tool flume-ng agent: --zk*'],
    state: 'refused',
    why: 'a configuration comes from files or web addresses',
  },
  {
    topic: "the Java launcher's own flags and variables",
    properties: [
      'tool flume-ng: --classpath*',
      'tool flume-ng: --dryrun*',
      'tool flume-ng: --plugins-path',
      'tool flume-ng: -X*',
      'tool flume-ng: -agent*',
      'tool flume-ng: -javaagent*',
      'tool flume-ng: env:*',
      'tool flume-ng agent: /etc/flume/flume.opts',
    ],
    state: 'refused',
    why: 'there is no Java virtual machine',
  },
  {
    topic: 'flume-ng tool with FCINTEGRITYTOOL and EventValidator',
    objects: ['tool flume-ng tool', 'tool FCINTEGRITYTOOL', 'tool EventValidator'],
    state: 'refused',
    why: '`millrace channel verify` and `repair` do it for our own log',
  },
  {
    topic: 'JMX',
    objects: ['monitor (platform MBean server)'],
    state: 'refused',
    why: 'there is no Java virtual machine; `http` and `prometheus` show the same counters',
  },
  {
    topic: "the Java Log4j appenders' own properties",
    objects: ['client Log4jAppender', 'client LoadBalancingLog4jAppender'],
    state: 'refused',
    why: 'they stay in the Java application, and may send to Millrace',
  },
]

/** Settings that are deliberately not the same, and how. Those that are declared, but without effect, say so themselves. */
export const DIFFERENCES = [
  {
    setting: '* of your own: config',
    how: 'unknown: a definition declares and checks its keys itself',
  },
  {
    setting: 'selector of your own: selector.config',
    how: 'unknown: a definition declares and checks its keys itself',
  },
  {
    setting: 'tool flume-ng agent: verify-host',
    how: 'unknown: Flume reads it and has no option that sets it',
  },
  {
    setting: 'client *: truststore-type',
    how: 'PEM; found by the file itself',
  },
  {
    setting: 'client *: truststore-password',
    how: 'no effect: PEM certificates have no password',
  },
  {
    setting: 'client *: *clude-*',
    how: 'refused by name; the avro sink takes them',
  },
  {
    setting: 'interceptor regex_extractor: serializers.<s1>.*',
    how: 'our tables have one key for all of them, `serializers.*`',
    declaredBy: 'serializers.*',
  },
  {
    setting: 'tool flume-ng agent: --auth-provider,-a',
    how: 'refused by name: a Java class; `--conf-user` and `--conf-password` work',
  },
  {
    setting: 'tool flume-ng agent: --conf-provider,-prov',
    how: 'refused by name: a Java class',
  },
]

/** Objects and settings that are being built: they are `later` until they are declared, and then judged as all others. */
export const PENDING = [
  'sink http',
  'channel PseudoTxnMemoryChannel',
  'serializer AvroEventSerializer',
  'keyNameConvention value-substitution: *',
  'keyNameConvention global-system-properties: lookups',
  'serializer RegexExtractorInterceptorMillisSerializer',
  'serializer DEFAULT',
  'keyNameConvention agent-root-keys: <agent>.configfilters',
  'keyNameConvention component-keys: <agent>.configfilters.*',
  'keyNameConvention global-system-properties: propertiesImplementation',
]
