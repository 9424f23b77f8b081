// Breakages of what the appenders make of a record: mapping and the adapters of the three loggers. Each names the tests
// that must notice it.
const mapping = (path) => `packages/appender/src/mapping/${path}`
const winston = (path) => `appenders/winston/src/${path}`
const log4js = (path) => `appenders/log4js/src/${path}`
const pino = (path) => `appenders/pino/src/${path}`

const BODIES = [/^unit\/mapping\/bodies/]
const HEADERS = [/^unit\/mapping\/headers/]
const ANY_RECORD = [/^property\/mapping\/any-record/]
const TRANSPORT = [/^integration\/winston\/transport/]
const LOG4JS = [/^integration\/log4js\/appender/]
const DESTINATION = [/^integration\/pino\/destination/]
const WORKER = [/^integration\/pino\/worker/]
const PAINS = [/^integration\/appender\/user-pains/]
const AVRO = [/^integration\/appender\/avro-bodies/]

export const APPENDER_CONTENT = [
  {
    name: 'all events have one id',
    file: mapping('event-ids.ts'),
    tests: HEADERS,
    replace: [['        hex[at] = digit === NINE ? A : digit + 1\n', '']],
  },
  {
    name: 'the strict profile has the headers of Millrace too',
    file: mapping('header-template.ts'),
    tests: [...HEADERS, /^interop\/appenders\/java-events/],
    replace: [
      [
        "    timestamps: ['flume.client.log4j.timestamp'],\n    isLog4j1: true,\n    hasExtras: false,",
        "    timestamps: ['flume.client.log4j.timestamp'],\n    isLog4j1: true,\n    hasExtras: true,",
      ],
    ],
  },
  {
    name: 'a level that Java does not know goes out',
    file: mapping('levels.ts'),
    tests: [...HEADERS, ...LOG4JS],
    replace: [
      [
        '  if (level >= LOG4J_LEVEL.INFO) return LOG4J_LEVEL.INFO\n',
        '  if (level >= LOG4J_LEVEL.INFO) return level\n',
      ],
    ],
  },
  {
    name: 'a trace id of zeros is passed on',
    file: mapping('trace-context.ts'),
    tests: HEADERS,
    replace: [['const TRACEPARENT = /^00-(?!0{32})', 'const TRACEPARENT = /^00-']],
  },
  {
    name: 'a request field takes the place of a header',
    file: mapping('context-headers.ts'),
    tests: HEADERS,
    replace: [
      [
        "const isUsable = !isReservedHeader(name) && name !== 'key'",
        "const isUsable = name !== 'key'",
      ],
    ],
  },
  {
    name: 'causes are left out',
    file: mapping('error-document.ts'),
    tests: BODIES,
    replace: [
      [
        '    if (cause !== undefined) text += `,"cause"',
        '    if (cause === null) text += `,"cause"',
      ],
    ],
  },
  {
    name: 'the errors of an AggregateError are left out',
    file: mapping('error-document.ts'),
    tests: BODIES,
    replace: [
      [
        '    if (isArray(errors)) text += `,"errors"',
        '    if (errors === text) text += `,"errors"',
      ],
    ],
  },
  {
    name: 'a BigInt is left out',
    file: mapping('json-value.ts'),
    tests: BODIES,
    replace: [
      [
        '        return `"${value}"`\n      case \'object\'',
        "        return undefined\n      case 'object'",
      ],
    ],
  },
  {
    name: 'circles are walked',
    file: mapping('json-value.ts'),
    tests: BODIES,
    replace: [['    if (this.#open.includes(value)) return CIRCULAR\n', '']],
  },
  {
    name: 'a getter throws into the application',
    file: mapping('json-value.ts'),
    tests: ANY_RECORD,
    replace: [
      [
        '    return Reflect.get(object, key) as unknown\n  } catch {\n    return THROWN',
        '    return Reflect.get(object, key) as unknown\n  } catch (error) {\n    throw error',
      ],
    ],
  },
  {
    name: 'lone surrogates stay in JSON',
    file: mapping('json-value.ts'),
    tests: BODIES,
    replace: [
      ["return json.includes('\\\\ud') ? JSON.stringify(wellFormed(kept)) : json", 'return json'],
    ],
  },
  {
    name: 'a long body is not cut',
    file: mapping('event-mapper.ts'),
    tests: [...BODIES, ...ANY_RECORD],
    replace: [['    if (text.length * 3 > limit) {', '    if (text.length < 0) {']],
  },
  {
    name: 'named fields are not redacted',
    file: mapping('redaction.ts'),
    tests: BODIES,
    replace: [['return names.length === 0 ? undefined', 'return names.length >= 0 ? undefined']],
  },
  {
    name: 'a record of Avro is announced as text',
    file: mapping('event-mapper.ts'),
    tests: AVRO,
    replace: [
      ['record.avro === undefined ? this.#templates : this.#avro.templates', 'this.#templates'],
    ],
  },
  {
    name: 'an Avro body has no schema',
    file: mapping('event-mapper.ts'),
    tests: AVRO,
    replace: [['    if (entry !== undefined) this.#block.add(writer, entry)\n', '']],
  },
  {
    name: 'any field of a line is taken for a record of Avro',
    file: pino('line-record.ts'),
    tests: AVRO,
    replace: [
      ['avroOfJson(line[this.#avroKey])', 'Object.values(line).map(avroOfJson).find((one) => one)'],
    ],
  },
  {
    name: 'a stream finishes before its deliveries',
    file: winston('millrace-transport.ts'),
    tests: TRANSPORT,
    replace: [['    this.#ending.then(finished, finished)\n', '    finished()\n']],
  },
  {
    name: 'close does not end the stream',
    file: winston('millrace-transport.ts'),
    tests: TRANSPORT,
    replace: [['    this.end()\n    await closed\n', '    await closed\n']],
  },
  {
    name: 'the logger waits for the network',
    file: winston('millrace-transport.ts'),
    tests: TRANSPORT,
    replace: [['    next()\n', '    void this.flush().then(next)\n']],
  },
  {
    name: 'trouble is emitted as error',
    file: winston('millrace-transport.ts'),
    tests: TRANSPORT,
    replace: [["this.emit('warn', new Error(message))", "this.emit('error', new Error(message))"]],
  },
  {
    name: 'loggers that share a transport warn of a leak',
    file: winston('millrace-transport.ts'),
    tests: PAINS,
    replace: [['    this.setMaxListeners(0)\n', '']],
  },
  {
    name: 'records after an uncaught exception are refused',
    file: winston('millrace-transport.ts'),
    tests: PAINS,
    replace: [
      [
        '    if (!this.#isEnded) {\n',
        "    if (!this.#isEnded && Reflect.get(this, '_ending') !== true) {\n",
      ],
      ['    this.#append(chunk as Info)\n', ''],
    ],
  },
  {
    name: 'an uncaught exception is a record like any other',
    file: winston('info-record.ts'),
    tests: [/^integration\/winston\/process/],
    replace: [["  if (info['exception'] === true) return 'exception'\n", '']],
  },
  {
    name: 'errors in the fields of winston are not found',
    file: winston('info-record.ts'),
    tests: TRANSPORT,
    replace: [
      ['    if (value !== undefined && isErrorLike(value)) errors = added(errors, value)\n', ''],
      [
        "    if (typeof value === 'object' && isError(value) && key !== 'cause')\n      errors = added(errors, value)\n",
        '',
      ],
    ],
  },
  {
    name: 'the context is that of another request',
    file: winston('info-record.ts'),
    tests: TRANSPORT,
    replace: [['context: captured?.context,', 'context: undefined,']],
  },
  {
    name: 'log4js: shutdown calls back before the deliveries',
    file: log4js('configure.ts'),
    tests: LOG4JS,
    replace: [['registry.closeOne(appender).then(finished, finished)', 'finished()']],
  },
  {
    name: 'log4js: a layout that throws does so into the application',
    file: log4js('configure.ts'),
    tests: LOG4JS,
    replace: [
      [
        '    return brokenRecord(event, messageOf(error), systemClock.now())\n',
        '    throw error\n',
      ],
    ],
  },
  {
    name: 'log4js: the type must be a name',
    file: log4js('configure.ts'),
    tests: PAINS,
    replace: [
      [
        '  type: (value: unknown) => value,',
        "  type: oneOf(['@millrace/log4js'], { default: undefined }),",
      ],
    ],
  },
  {
    name: 'log4js: fields are gathered in the caller’s object',
    file: log4js('event-record.ts'),
    tests: PAINS,
    replace: [
      [
        'withFields(attributes ?? {}, value)',
        'withFields(attributes ?? (value as Record<string, unknown>), value)',
      ],
    ],
  },
  {
    name: 'log4js: all requests share one context',
    file: log4js('mdc.ts'),
    tests: LOG4JS,
    replace: [
      [
        'return this.#storage.run(context, callback)',
        'this.#storage.enterWith(context)\n    return callback()',
      ],
    ],
  },
  {
    name: 'workers of a cluster cannot be told apart',
    file: mapping('process-identity.ts'),
    tests: [/^integration\/log4js\/cluster/],
    replace: [['...(cluster === undefined ? [] : [`cluster-${cluster}`]),', '']],
  },
  {
    name: 'pino: flush of the destination waits for nothing',
    file: pino('millrace-destination.ts'),
    tests: DESTINATION,
    replace: [
      [
        "if (typeof argument !== 'function') return this.#appender.flush(argument ?? {})",
        "if (typeof argument !== 'function') return Promise.resolve(true)",
      ],
    ],
  },
  {
    name: 'pino: errors under other keys are not found',
    file: pino('millrace-destination.ts'),
    tests: DESTINATION,
    replace: [["    if (typeof value === 'object' && isError(value)) return value\n", '']],
  },
  {
    name: 'pino: the first of two fields of one name counts',
    file: pino('millrace-destination.ts'),
    tests: PAINS,
    replace: [
      [
        'attributes: line === undefined ? undefined : records.fields(line),',
        'attributes: line === undefined ? undefined : { ...records.fields(line), ...facts.bindings },',
      ],
    ],
  },
  {
    name: 'pino: redacted messages are shipped as they were logged',
    file: pino('millrace-destination.ts'),
    tests: DESTINATION,
    replace: [
      [
        "if (typeof message === 'string' && facts.isPlain) return message",
        "if (typeof message === 'string') return message",
      ],
    ],
  },
  {
    name: 'pino: text levels are INFO',
    file: pino('line-record.ts'),
    tests: PAINS,
    replace: [['return this.#names.find(name) ?? LOG4J_LEVEL.INFO', 'return LOG4J_LEVEL.INFO']],
  },
  {
    name: 'pino: flush of the worker waits for nothing',
    file: pino('worker-stream.ts'),
    tests: WORKER,
    replace: [['const isSettled = await this.#appender.flush()', 'const isSettled = true']],
  },
  {
    name: 'pino: the worker ends before its deliveries',
    file: pino('worker-stream.ts'),
    tests: WORKER,
    replace: [
      [
        '    this.#appender.close({ timeoutMs: this.#closeTimeoutMs }).then(finished, finished)\n',
        '    finished()\n',
      ],
    ],
  },
  {
    name: 'pino: the worker makes the ring wait',
    file: pino('worker-stream.ts'),
    tests: PAINS,
    replace: [
      [
        "    this.#rest = last === 0 ? this.#rest + text : (lines[last] ?? '')\n    done()\n",
        "    this.#rest = last === 0 ? this.#rest + text : (lines[last] ?? '')\n    setTimeout(done, 20)\n",
      ],
    ],
  },
  {
    name: 'pino: a function among the options goes to the worker',
    file: pino('worker-target.ts'),
    tests: WORKER,
    replace: [["  refuseFunctions(options, '')\n", '']],
  },
  {
    name: 'pino: the store of the request is not added',
    file: pino('context-mixin.ts'),
    tests: DESTINATION.concat(WORKER, [/^integration\/appender\/guides/]),
    replace: [
      ["return typeof store === 'object' && store !== null ? { ...store } : {}", 'return {}'],
    ],
  },
  {
    name: 'loading a package starts a timer',
    file: pino('worker-stream.ts'),
    tests: PAINS,
    replace: [['interface Marks {', 'setInterval(() => {}, 1_000_000)\ninterface Marks {']],
  },
]
