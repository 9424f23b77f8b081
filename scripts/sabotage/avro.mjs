// Breakages of the avro source and sink, ipFilter, and the stores and settings of TLS.
const core = (path) => `agent-core/src/${path}`
const source = core('sources/avro-source.ts')
const filter = core('sources/ip-filter.ts')
const sink = core('sinks/avro-sink.ts')
const clients = core('sinks/rpc-client-factory.ts')
const stores = core('tls/stores.ts')
const files = core('tls/tls-files.ts')
const jks = core('tls/jks-store.ts')
const pkcs12 = core('tls/pkcs12-store.ts')
const protocols = core('tls/protocols.ts')
const tlsOptions = core('tls/tls-options.ts')

export const AVRO = [
  {
    name: 'avro source: OK to what the channels refused',
    file: source,
    replace: [
      [
        '      throw error\n    }\n    counters.eventAcceptedCount',
        '      return\n    }\n    counters.eventAcceptedCount',
      ],
    ],
  },
  {
    name: 'avro source: OK before delivery',
    file: source,
    replace: [
      [
        '      await this.#context.deliver(batch, call.signal)\n',
        '      this.#context.deliver(batch, call.signal).catch(() => {})\n',
      ],
    ],
  },
  {
    name: 'avro source: renewed certificates are not looked at',
    file: source,
    replace: [['          server.renewTls(next)\n', '']],
  },
  {
    name: 'avro source: a broken certificate ends the looking',
    file: source,
    replace: [
      [
        '      } catch (error) {\n        const text = messageOf(error)\n',
        '      } catch (error) {\n        const text = messageOf(error)\n        if (text) return\n',
      ],
    ],
  },
  {
    name: 'avro source: a refused call is not counted',
    file: source,
    replace: [['      counters.channelWriteFail += 1\n', '']],
  },
  {
    name: 'ipFilter: the last rule decides',
    file: filter,
    replace: [
      [
        '    this.#rules = rules.map(parseRule)\n',
        '    this.#rules = rules.map(parseRule).reverse()\n',
      ],
    ],
  },
  {
    name: 'ipFilter: a peer that no rule matches is refused',
    file: filter,
    replace: [
      [
        '    }\n    return true\n  }\n\n  /** As in Java',
        '    }\n    return false\n  }\n\n  /** As in Java',
      ],
    ],
  },
  {
    name: 'ipFilter: a dot is any character',
    file: filter,
    replace: [["char.replace(/[\\\\^$.|+()[\\]{}/-]/, '\\\\$&')", 'char']],
  },
  {
    name: 'ipFilter: a pattern matches a part',
    file: filter,
    replace: [
      [
        "`^${parts.join('').replaceAll(/(?:\\.\\*)+/g, '.*')}$`",
        "`^${parts.join('').replaceAll(/(?:\\.\\*)+/g, '.*')}`",
      ],
    ],
  },
  {
    name: 'ipFilter: an IPv4 peer of an IPv6 socket matches no rule',
    file: filter,
    replace: [['  return IPV4_IN_IPV6.exec(plain)?.[1] ?? plain\n', '  return plain\n']],
  },
  {
    name: 'ipFilter: IPv6 in full matches nothing',
    file: filter,
    replace: [
      ["  return [address, [...front, ...zeros, ...back].join(':')]\n", '  return [address]\n'],
    ],
  },
  {
    name: 'ipFilter: localhost is a name like others',
    file: filter,
    replace: [["pattern === 'localhost' ? 'local' : 'name'", "'name'"]],
  },
  {
    name: 'ipFilter: a peer without a name matches no name',
    file: filter,
    replace: [['    return names.length > 0 ? names : [address]\n', '    return names\n']],
  },
  {
    name: 'avro sink: a write that failed is delivered',
    file: sink,
    replace: [
      [
        "      throw new EventDeliveryError('MILLRACE_DELIVERY_FAILED', message, { cause: error })\n",
        '      this.#host.logger.debug(message)\n',
      ],
    ],
  },
  {
    name: 'avro sink: a lost connection is used on',
    file: sink,
    replace: [
      ['    if (!client.isActive) return true\n', ''],
      ['      if (run.client?.isActive === false) await this.#close(run)\n', ''],
    ],
  },
  {
    name: 'avro sink: reset-connection-interval is not looked at',
    file: sink,
    replace: [['connectedAtMs >= resetIntervalMs', 'connectedAtMs < 0']],
  },
  {
    name: 'avro sink: reset-connection-interval of 0 replaces each connection',
    file: sink,
    replace: [['    if (resetIntervalMs === 0) return false\n', '']],
  },
  {
    name: 'avro sink: request-timeout is not passed on',
    file: clients,
    replace: [['    requestTimeoutMs: options.requestTimeoutMs,\n', '']],
  },
  {
    name: 'avro sink: connect-timeout is not passed on',
    file: clients,
    replace: [['    connectTimeoutMs: options.connectTimeoutMs,\n', '']],
  },
  {
    name: 'avro sink: batch-size is not passed on',
    file: clients,
    replace: [['    batchSize: options.batchSize,\n', '']],
  },
  {
    name: 'avro sink: compression-level is not passed on',
    file: clients,
    replace: [['    compressionLevel: options.compressionLevel,\n', '']],
  },
  {
    name: 'avro sink: max-attempts is not passed on',
    file: clients,
    replace: [['{ ...shared, maxAttempts: options.maxAttempts }', '{ ...shared }']],
  },
  {
    name: 'avro sink: backoff is not passed on',
    file: clients,
    replace: [
      [
        '{ ...shared, hostSelector, backoff, maxBackoffMs }',
        '{ ...shared, hostSelector, maxBackoffMs }',
      ],
    ],
  },
  {
    name: 'avro sink: maxBackoff is not passed on',
    file: clients,
    replace: [
      [
        '{ ...shared, hostSelector, backoff, maxBackoffMs }',
        '{ ...shared, hostSelector, backoff }',
      ],
    ],
  },
  {
    name: 'avro sink: host-selector is not passed on',
    file: clients,
    replace: [
      [
        '{ ...shared, hostSelector, backoff, maxBackoffMs }',
        '{ ...shared, backoff, maxBackoffMs }',
      ],
    ],
  },
  {
    name: 'TLS stores: a changed file is not read again',
    file: files,
    replace: [['this.#value === undefined || stamp !== this.#stamp', 'this.#value === undefined']],
  },
  {
    name: 'TLS: trust-all-certs is always on',
    file: files,
    replace: [['      trustAll: trustAllCerts,\n', '      trustAll: true,\n']],
  },
  {
    name: 'TLS: verify-hostname is not read',
    file: files,
    replace: [['      checkHostname: verifyHostname,\n', '']],
  },
  {
    name: 'TLS: tls-deflate-order is not read',
    file: files,
    replace: [["tlsDeflateOrder === 'v1.9' ? 'tls' : 'zlib'", "'zlib'"]],
  },
  {
    name: 'TLS: the trust store of a source is not used',
    file: files,
    replace: [["ca === undefined || clientAuth === 'none' ? {} : { ca }", '{}']],
  },
  {
    name: 'TLS: the trust store of a sink is not used',
    file: files,
    replace: [['      ...(ca === undefined ? {} : { ca }),\n      trustAll', '      trustAll']],
  },
  {
    name: 'TLS: a key that does not fit is found with the first client',
    file: stores,
    replace: [['    createSecureContext(material)\n', '']],
  },
  {
    name: 'TLS: the certificates of a key are not trusted',
    file: stores,
    replace: [
      [
        '  return [...trusted, ...keys.flatMap(({ certificates }) => certificates)]\n',
        '  return keys.length > 0 ? [] : [...trusted]\n',
      ],
    ],
  },
  {
    name: 'TLS: the password of a PEM key is not used',
    file: stores,
    replace: [
      [
        '  return password === undefined ? material : { ...material, passphrase: password }\n',
        '  return material\n',
      ],
    ],
  },
  {
    name: 'TLS: of a JKS chain only the first certificate is sent',
    file: jks,
    replace: [['  entry.chain.map(', '  entry.chain.slice(0, 1).map(']],
  },
  {
    name: 'TLS: of a PKCS12 chain only the first certificate is sent',
    file: pkcs12,
    replace: [
      [
        '  while (next !== undefined && !chain.includes(next)) {',
        '  while (next !== undefined && chain.length === 0) {',
      ],
    ],
  },
  {
    name: 'TLS: a PKCS12 trust store holds nothing',
    file: pkcs12,
    replace: [['.filter((each) => !used.has(each))', '.filter((each) => used.has(each))']],
  },
  {
    name: 'TLS: exclude-protocols is not looked at',
    file: protocols,
    replace: [
      [
        '  return left(SPOKEN, lists.includeProtocols, lists.excludeProtocols).filter(',
        '  return left(SPOKEN, lists.includeProtocols, []).filter(',
      ],
    ],
  },
  {
    name: 'TLS: include-protocols is not looked at',
    file: protocols,
    replace: [
      [
        '  return left(SPOKEN, lists.includeProtocols, lists.excludeProtocols).filter(',
        '  return left(SPOKEN, [], lists.excludeProtocols).filter(',
      ],
    ],
  },
  {
    name: 'TLS: exclude-cipher-suites is not looked at',
    file: protocols,
    replace: [
      [
        '  const excluded = translate(exclude)\n',
        '  const excluded = translate(exclude.slice(0, 0))\n',
      ],
    ],
  },
  {
    name: 'TLS: a protocol without a suite is offered with those of Node',
    file: protocols,
    replace: [
      [
        "    (protocol) => suites?.some((each) => isTls13(each) === (protocol === 'TLSv1.3')) ?? true,\n",
        '    () => suites === suites,\n',
      ],
    ],
  },
  {
    name: 'TLS: the global key store is not inherited',
    file: tlsOptions,
    replace: [["    ...inherits('javax.net.ssl.keyStore', 'KEYSTORE_PATH'),\n", '']],
  },
  {
    name: 'TLS: the global trust store is not inherited',
    file: tlsOptions,
    replace: [["    ...inherits('javax.net.ssl.trustStore', 'TRUSTSTORE_PATH'),\n", '']],
  },
  {
    name: 'TLS: the global password of the key store is not inherited',
    file: tlsOptions,
    replace: [["    ...inherits('javax.net.ssl.keyStorePassword', 'KEYSTORE_PASSWORD'),\n", '']],
  },
  {
    name: 'TLS: the global protocols are not inherited',
    file: tlsOptions,
    replace: [["    ...inherits('flume.ssl.include.protocols', 'INCLUDE_PROTOCOLS'),\n", '']],
  },
]
