import assert from 'node:assert/strict'
import { formatFinding } from '@millrace/agent-core'
import { findingsOf, load, type LoadOptions } from '../../support/configuration/loading.js'

const GOOD = `a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.sources.r1.type = line_in
a1.sources.r1.channels = c1
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = 4141
a1.channels.c1.type = tank
a1.sinks.k1.type = line_out
a1.sinks.k1.channel = c1
a1.sinks.k1.sink.directory = /var/log
`

/** The findings of the good file with lines added; the first of them is line 12. */
const withMore = (more: string, options?: LoadOptions) => findingsOf(`${GOOD}${more}\n`, options)
/** The findings of the good file with one line replaced. */
const withLine = (line: number, text: string) =>
  findingsOf(
    GOOD.split('\n')
      .map((each, index) => (index + 1 === line ? text : each))
      .join('\n'),
  )

const messagesOf = async (text: string) =>
  (await load(text)).findings.map(({ message }) => message).join('\n')

describe('the findings of a configuration', () => {
  it('are none for a good file', async () => {
    assert.deepEqual(await findingsOf(GOOD), [])
  })

  it('read file:line: severity code key: message, on one line', async () => {
    const { findings } = await load(`${GOOD}a1.sinks.k1.bad\\nkey = 1`)
    const [finding] = findings
    assert.ok(finding)
    assert.equal(
      formatFinding({ ...finding, file: 'f.properties' }),
      'f.properties:12: error MILLRACE_CONFIG_UNKNOWN_PROPERTY a1.sinks.k1.bad\\u000akey: ' +
        'the line_out sink has no such key',
    )
  })

  it('come all at once, in the order of the file', async () => {
    const found = await findingsOf(
      'a1.sinks = k1\na1.channels = c1 c2\na1.sources = r1\na1.channels.c1.capacity = x\n' +
        'a1.sources.r1.type = line_in\na1.channels.c1.type = tank\na1.sinks.k1.type = nothing_like\n' +
        'a1.sinks.k1.channel = c3\na1.sources.r1.prt = 4\n',
    )
    assert.deepEqual(found, [
      '2 error MISSING a1.channels.c2.type',
      '4 error INVALID a1.channels.c1.capacity',
      '5 error MISSING a1.sources.r1.channels',
      '5 error MISSING a1.sources.r1.bind',
      '5 error MISSING a1.sources.r1.port',
      '6 warning UNUSED a1.channels.c1',
      '7 error UNKNOWN_TYPE a1.sinks.k1.type',
      '8 error UNKNOWN_NAME a1.sinks.k1.channel',
      '9 error UNKNOWN_PROPERTY a1.sources.r1.prt',
    ])
  })

  it('say nothing of other agents', async () => {
    assert.deepEqual(
      await withMore('a2.sorces = r1\na2.sources.r1.type = ${env:NO}\na2.x=1\na2.x=2'),
      [],
    )
  })
})

describe('an unknown key', () => {
  it('is an error with a suggestion, for every kind of component', async () => {
    const cases = [
      ['a1.sources.r1.prot = 1', 'a1.sources.r1.port'],
      ['a1.sources.r1.chanels = c1', 'a1.sources.r1.channels'],
      ['a1.sources.r1.selector.optionl = c1', 'a1.sources.r1.selector.optional'],
      ['a1.sources.r1.selectr.type = replicating', 'a1.sources.r1.selector.type'],
      ['a1.sources.r1.interceptor.i1.type = stamp', 'a1.sources.r1.interceptors.i1.type'],
      ['a1.channels.c1.Capacity = 100', 'a1.channels.c1.capacity'],
      ['a1.channels.c1.transaction-capacity = 100', 'a1.channels.c1.transactionCapacity'],
      ['a1.sinks.k1.channels = c1', 'a1.sinks.k1.channel'],
      ['a1.sinks.k1.sink.dirctory = /x', 'a1.sinks.k1.sink.directory'],
      ['a1.sinks.k1.sink.namer.extensoin = log', 'a1.sinks.k1.sink.namer.extension'],
      [
        'a1.sinks.k1.sink.serializer.appendNewLin = true',
        'a1.sinks.k1.sink.serializer.appendNewline',
      ],
      ['a1.channel = c1', 'a1.channels'],
      ['a1.sink.k1.type = line_out', 'a1.sinks.k1.type'],
    ]
    for (const [line = '', meant = ''] of cases) {
      const { findings } = await load(`${GOOD}${line}`)
      const found = findings.find((finding) => finding.line === 12)
      assert.equal(found?.code, 'MILLRACE_CONFIG_UNKNOWN_PROPERTY', line)
      assert.equal(found?.severity, 'error', line)
      assert.ok(found.message.endsWith(`did you mean "${meant}"?`), `${line}: ${found.message}`)
    }
  })

  it('is a warning with lenient', async () => {
    const more = 'a1.sources.r1.prot = 1\na1.channel = c1'
    const lenient = await withMore(more, { lenient: true })
    assert.deepEqual(lenient, [
      '12 warning UNKNOWN_PROPERTY a1.sources.r1.prot',
      '13 warning UNKNOWN_PROPERTY a1.channel',
    ])
    assert.ok((await load(`${GOOD}${more}`, { lenient: true })).configuration)
  })

  it('is one without a name or a key behind it', async () => {
    assert.deepEqual(await withMore('a1.sinks.k1 = line_out\na1.sinks. = 1\na1.channels.c1. = 2'), [
      '12 error UNKNOWN_PROPERTY a1.sinks.k1',
      '13 error UNKNOWN_PROPERTY a1.sinks.',
      '14 error UNKNOWN_PROPERTY a1.channels.c1.',
    ])
  })

  it('of no agent is a warning, unless a value refers to it', async () => {
    assert.deepEqual(await withMore('capacity = 5\na1.channels.c1.capacity = ${capacity}00'), [])
    assert.deepEqual(await withMore('sinks = 5'), ['12 warning UNUSED sinks'])
  })
})

describe('an unknown name', () => {
  it('is an error where it stands', async () => {
    assert.deepEqual(await withLine(5, 'a1.sources.r1.channels = c1 c2'), [
      '5 error UNKNOWN_NAME a1.sources.r1.channels',
    ])
    assert.deepEqual(await withLine(10, 'a1.sinks.k1.channel = c9'), [
      '8 warning UNUSED a1.channels.c1',
      '10 error UNKNOWN_NAME a1.sinks.k1.channel',
    ])
    assert.deepEqual(await withMore('a1.sinkgroups = g1\na1.sinkgroups.g1.sinks = k2'), [
      '13 error UNKNOWN_NAME a1.sinkgroups.g1.sinks',
    ])
  })

  it('is an error of a component’s own rules too', async () => {
    assert.deepEqual(await withMore('a1.sources.r1.selector.optional = c2'), [
      '12 error UNKNOWN_NAME a1.sources.r1.selector.optional',
    ])
  })

  it('with a comma gets the advice to use blanks', async () => {
    assert.match(await messagesOf('a1.channels = c1,c2\na1.sources.r1.type = x'), /between blanks/)
  })
})

describe('an unknown type', () => {
  const typeOf = async (text: string) => {
    const { findings } = await load(`${GOOD}${text}`)
    const { code, line, message } = findings.find((each) => each.severity === 'error') ?? {}
    return `${line} ${code?.replace('MILLRACE_CONFIG_', '')} ${message}`
  }

  it('is an error with a suggestion', async () => {
    assert.match(await typeOf('a1.channels.c1.type = tnk'), /^12 UNKNOWN_TYPE .*mean "tank"/)
    assert.match(await typeOf('a1.sources.r1.selector.type = repl'), /^12 UNKNOWN_TYPE/)
    assert.match(
      await typeOf('a1.sources.r1.interceptors = i1\na1.sources.r1.interceptors.i1.type = stam'),
      /^13 UNKNOWN_TYPE .*mean "stamp"/,
    )
    assert.match(await typeOf('a1.sinks.k1.sink.serializer = plan'), /^12 UNKNOWN_TYPE .*"plain"/)
    assert.match(
      await typeOf(
        'a1.sinkgroups = g1\na1.sinkgroups.g1.sinks = k1\na1.sinkgroups.g1.processor.type=rank',
      ),
      /^14 UNKNOWN_TYPE .*mean "ranked"/,
    )
  })

  it('of Flume says that this version lacks it', async () => {
    assert.match(await typeOf('a1.sinks.k1.type = HDFS'), /^12 UNKNOWN_TYPE .*of Flume .* lacks/)
    assert.match(
      await typeOf('a1.sinks.k1.type = org.apache.flume.sink.hdfs.HDFSEventSink'),
      /^12 UNKNOWN_TYPE .*class of Flume/,
    )
  })

  it('may be an alias in any case, or a class name in its own', async () => {
    assert.deepEqual(await withLine(8, 'a1.channels.c1.type = TANK'), [])
    assert.deepEqual(await withLine(8, 'a1.channels.c1.type = org.example.TankChannel'), [])
    assert.match(await typeOf('a1.channels.c1.type = org.example.tankchannel'), /^12 UNKNOWN_TYPE/)
  })
})

describe('a bad value', () => {
  it('is an error on its line', async () => {
    const values = [
      'a1.sources.r1.port = abc',
      'a1.sources.r1.port = 0',
      'a1.sources.r1.port = 65536',
    ]
    values.push('a1.sources.r1.port = 1.5', 'a1.sources.r1.loud = yes')
    for (const value of values)
      assert.match((await withMore(value)).join(), /12 error INVALID/, value)
    assert.deepEqual(await withMore('a1.sinks.k1.timeout = 2s'), [
      '12 error INVALID a1.sinks.k1.timeout',
    ])
    assert.deepEqual(await withMore('a1.sinks.k1.store-type = tar'), [
      '12 error INVALID a1.sinks.k1.store-type',
    ])
  })

  it('under a prefix is an error on its own line', async () => {
    const more = `a1.sinkgroups = g1
a1.sinkgroups.g1.sinks = k1
a1.sinkgroups.g1.processor.type = ranked
a1.sinkgroups.g1.processor.priority.k1 = 5
a1.sinkgroups.g1.processor.priority.k2 = high`
    assert.deepEqual(await withMore(more), [
      '16 error INVALID a1.sinkgroups.g1.processor.priority.k2',
    ])
  })

  it('that Flume knows and this version does not is refused by name', async () => {
    assert.deepEqual(
      await withMore(
        'a1.sinks.k1.store-type = jks\na1.sources.r1.include = x\na1.sinks.k1.sink.namer.zzzzzzzz = 1',
      ),
      [
        '12 error UNSUPPORTED a1.sinks.k1.store-type',
        '13 error UNSUPPORTED a1.sources.r1.include',
        '14 error UNSUPPORTED a1.sinks.k1.sink.namer.zzzzzzzz',
      ],
    )
    assert.deepEqual(await withMore('a1.sinks.k1.store-type = org.example.Store'), [
      '12 error UNSUPPORTED a1.sinks.k1.store-type',
    ])
    assert.deepEqual(await withMore('a1.configfilters = f1\na1.configfilters.f1.type = hadoop'), [
      '13 error UNKNOWN_TYPE a1.configfilters.f1.type',
    ])
  })

  it('below a documented minimum is replaced, with a warning', async () => {
    const { configuration, findings } = await load(`${GOOD}a1.sinks.k1.timeout = 999`)
    assert.equal(configuration?.sinks[0]?.options['timeoutMs'], 20_000)
    assert.deepEqual(
      findings.map(({ code, severity, line }) => [code, severity, line]),
      [['MILLRACE_CONFIG_ADJUSTED', 'warning', 12]],
    )
  })

  it('that is secret is never shown', async () => {
    const { findings } = await load(`${GOOD}a1.sinks.k1.pin = s3cr3t`)
    assert.equal(findings.length, 1)
    assert.doesNotMatch(JSON.stringify(findings), /s3cr3t/)
  })

  it('that is empty counts as not set, with a warning; where one is needed it is an error', async () => {
    assert.deepEqual(await withMore('a1.channels.c1.capacity =\na1.sources.r1.selector.type ='), [
      '12 warning NO_EFFECT a1.channels.c1.capacity',
      '13 warning NO_EFFECT a1.sources.r1.selector.type',
    ])
    assert.deepEqual(await withLine(6, 'a1.sources.r1.bind ='), [
      '6 error INVALID a1.sources.r1.bind',
    ])
    assert.deepEqual(await withLine(8, 'a1.channels.c1.type = '), [
      '8 error INVALID a1.channels.c1.type',
    ])
    assert.deepEqual(await withLine(10, 'a1.sinks.k1.channel = '), [
      '8 warning UNUSED a1.channels.c1',
      '10 error INVALID a1.sinks.k1.channel',
    ])
  })

  it('with a malformed \\u is an error', async () => {
    assert.deepEqual(await withMore('a1.sinks.k1.sink.serializer = \\u00zz'), [
      '12 error INVALID a1.sinks.k1.sink.serializer',
    ])
    assert.deepEqual(await withMore('a2.sinks = C:\\users'), ['12 error INVALID a2.sinks'])
  })
})

describe('what is missing', () => {
  it('has the line of the component’s type, else of the list that names it, else 1', async () => {
    assert.deepEqual(await withLine(7, ''), ['4 error MISSING a1.sources.r1.port'])
    assert.deepEqual(await withLine(5, ''), [
      '4 error MISSING a1.sources.r1.channels',
      '8 warning UNUSED a1.channels.c1',
    ])
    assert.deepEqual(await withLine(10, ''), [
      '8 warning UNUSED a1.channels.c1',
      '9 error MISSING a1.sinks.k1.channel',
    ])
    assert.deepEqual(await withLine(4, ''), ['1 error MISSING a1.sources.r1.type'])
    assert.deepEqual(await withLine(9, ''), ['3 error MISSING a1.sinks.k1.type'])
    assert.deepEqual(
      await withMore('a1.sinkgroups = g1\na1.sinkgroups.g1.processor.type = default'),
      ['13 error MISSING a1.sinkgroups.g1.sinks'],
    )
    assert.deepEqual(
      await withMore(
        'a1.sources.r1.selector.mapping.x = c1\na1.sources.r1.selector.type = by_header',
      ),
      ['13 error MISSING a1.sources.r1.selector.header'],
    )
    assert.deepEqual(await withMore('a1.sources.r1.interceptors = i1'), [
      '12 error MISSING a1.sources.r1.interceptors.i1.type',
    ])
  })

  it('may be settings of a listed component, or a whole list', async () => {
    assert.deepEqual(await withLine(8, ''), ['2 error MISSING a1.channels.c1.type'])
    assert.deepEqual(await withMore('a1.sinkgroups = g1'), [
      '12 error MISSING a1.sinkgroups.g1.sinks',
    ])
    assert.deepEqual(await withLine(2, ''), [
      '1 error MISSING a1.channels',
      '5 error UNKNOWN_NAME a1.sources.r1.channels',
      '8 warning UNUSED a1.channels.c1.type',
      '10 error UNKNOWN_NAME a1.sinks.k1.channel',
    ])
    assert.deepEqual(await findingsOf('a1.channels = c1\na1.channels.c1.type = tank'), [
      '1 error MISSING a1.sources',
      '2 warning UNUSED a1.channels.c1',
    ])
    assert.deepEqual(await findingsOf('a1.channels =\na1.sinks = '), [
      '1 error INVALID a1.channels',
      '2 error INVALID a1.sinks',
    ])
  })

  it('is nothing in an agent with sources only or sinks only', async () => {
    assert.deepEqual(
      await findingsOf(
        GOOD.split('\n')
          .filter((line) => !line.includes('sink'))
          .join('\n'),
      ),
      ['7 warning UNUSED a1.channels.c1'],
    )
  })
})

describe('wiring', () => {
  it('lets a sink have one channel only', async () => {
    const text = GOOD.replace('a1.channels = c1', 'a1.channels = c1 c2').replace(
      'sinks.k1.channel = c1',
      'sinks.k1.channel = c1 c2',
    )
    assert.deepEqual(await findingsOf(`${text}a1.channels.c2.type = tank`), [
      '10 error INVALID a1.sinks.k1.channel',
      '12 warning UNUSED a1.channels.c2',
    ])
  })

  it('lets a sink be in one group only', async () => {
    const more = `a1.sinkgroups = g1 g2
a1.sinkgroups.g1.sinks = k1
a1.sinkgroups.g2.sinks = k1`
    assert.deepEqual(await withMore(more), ['14 error INVALID a1.sinkgroups.g2.sinks'])
  })

  it('refuses a batch that exceeds the transactionCapacity of a channel', async () => {
    const small = 'a1.channels.c1.transactionCapacity = 10\n'
    assert.deepEqual(
      await withMore(`${small}a1.sources.r1.batch-size = 11\na1.sinks.k1.batch-size=10`),
      ['13 error INVALID a1.sources.r1.batch-size'],
    )
    assert.deepEqual(await withMore(small), ['9 error INVALID a1.sinks.k1.batch-size'])
  })

  it('refuses a transactionCapacity that exceeds the capacity', async () => {
    assert.deepEqual(await withMore('a1.channels.c1.transactionCapacity = 101'), [
      '12 error INVALID a1.channels.c1.transactionCapacity',
    ])
    assert.deepEqual(await withMore('a1.channels.c1.capacity = 99'), [
      '8 error INVALID a1.channels.c1.transactionCapacity',
    ])
  })

  it('lets a processor judge its sinks', async () => {
    const more = `a1.sinkgroups = g1
a1.sinkgroups.g1.sinks = k1 k2`
    const text = `${GOOD}${more}\na1.sinks.k2.type = line_out\na1.sinks.k2.channel = c1
a1.sinks.k2.sink.directory = /tmp`
    assert.deepEqual(await findingsOf(text.replace('a1.sinks = k1', 'a1.sinks = k1 k2')), [
      '12 error INVALID a1.sinkgroups.g1.processor.type',
    ])
  })
})

describe('a warning', () => {
  it('tells of a key that stands twice, and the last one counts', async () => {
    const { configuration, findings } = await load(`${GOOD}a1.channels.c1.capacity = 200
a1.channels.c1.capacity = 300`)
    assert.equal(configuration?.channels[0]?.options['capacity'], 300)
    assert.deepEqual(
      findings.map(({ line, code }) => [line, code]),
      [[13, 'MILLRACE_CONFIG_DUPLICATE']],
    )
    assert.match(findings[0]?.message ?? '', /line 12/)
  })

  it('tells of a name that a list holds twice', async () => {
    assert.deepEqual(await withLine(1, 'a1.sources = r1 r1'), ['1 warning DUPLICATE a1.sources'])
  })

  it('tells once of the settings of an unlisted component', async () => {
    const { findings } = await load(`${GOOD}a1.sinks.kk1.channel = c1
a1.sinks.kk1.type = line_out
a1.sources.r1.interceptors = i1
a1.sources.r1.interceptors.i1.type = stamp
a1.sources.r1.interceptors.i2.type = stamp
a1.sources.r1.interceptors.i2.header = x`)
    assert.deepEqual(
      findings.map(({ line, code, severity }) => [line, code, severity]),
      [
        [12, 'MILLRACE_CONFIG_UNUSED', 'warning'],
        [16, 'MILLRACE_CONFIG_UNUSED', 'warning'],
      ],
    )
    assert.match(findings[0]?.message ?? '', /did you mean "k1"/)
  })

  it('tells of a key that has no effect', async () => {
    assert.deepEqual(await withMore('a1.sources.r1.threads = 8'), [
      '12 warning NO_EFFECT a1.sources.r1.threads',
    ])
  })

  it('tells of a channel that nobody uses', async () => {
    const text = GOOD.replace('a1.channels = c1', 'a1.channels = c1 c2')
    assert.deepEqual(await findingsOf(`${text}a1.channels.c2.type = tank`), [
      '12 warning UNUSED a1.channels.c2',
    ])
  })
})
