import assert from 'node:assert/strict'
import { multiPortParser } from '@millrace/agent-core/internal/sources/syslog/multi-port-parser'
import { singlePortParser } from '@millrace/agent-core/internal/sources/syslog/single-port-parser'
import { SyslogLines } from '@millrace/agent-core/internal/sources/syslog/syslog-lines'
import { keptFields } from '@millrace/agent-core/internal/sources/syslog/syslog-message'
import { SyslogTime } from '@millrace/agent-core/internal/sources/syslog/syslog-time'
import { FakeClock } from '@millrace/testkit'

const NOW = Date.UTC(2026, 10, 22, 12)
const clock = new FakeClock(NOW)

type Parsed = { readonly headers: Readonly<Record<string, string>>; readonly body: string }

function parse(kind: 'single' | 'multi', text: string, keep = 'none'): Parsed {
  const kept = keptFields(keep)
  const parser =
    kind === 'single' ? singlePortParser(kept, clock) : multiPortParser(kept, 'UTF-8', clock)
  const { headers = {}, body = '' } = parser(Buffer.from(text), undefined)
  return { headers, body: body.toString() }
}

const at = (text: string) => String(Date.parse(text))
const local = (month: number, day: number, year: number) =>
  String(new Date(year, month, day, 10).getTime())

describe('the parser of syslogtcp and syslogudp', () => {
  const CASES: readonly [line: string, headers: Record<string, string>, body: string][] = [
    [
      '<34>1 2026-11-20T10:00:00.123Z h1 app body',
      {
        Facility: '4',
        Severity: '2',
        priority: '34',
        version: '1',
        timestamp: at('2026-11-20T10:00:00.123Z'),
        host: 'h1',
      },
      'app body',
    ],
    [
      '<34>1 2026-11-20T10:00:00+02:00 h1 [id x="y"] grün',
      {
        Facility: '4',
        Severity: '2',
        priority: '34',
        version: '1',
        timestamp: at('2026-11-20T08:00:00Z'),
        host: 'h1',
      },
      '[id x="y"] grün',
    ],
    [
      '<34>1 2026-11-20T10:00:00.123456789+02:00 fe80::1 x',
      {
        Facility: '4',
        Severity: '2',
        priority: '34',
        version: '1',
        timestamp: at('2026-11-20T08:00:00.123Z'),
        host: 'fe80::1',
      },
      'x',
    ],
    ['<34>1 - - x', { Facility: '4', Severity: '2', priority: '34', version: '1' }, 'x'],
    [
      '<13>Nov 20 10:00:00 h1 app[1]: body',
      { Facility: '1', Severity: '5', priority: '13', timestamp: local(10, 20, 2026), host: 'h1' },
      'app[1]: body',
    ],
    [
      '<13>Jan  5 10:00:00 h1 crlf\r',
      { Facility: '1', Severity: '5', priority: '13', timestamp: local(0, 5, 2026), host: 'h1' },
      'crlf',
    ],
    ['<13>no head at all', { Facility: '1', Severity: '5' }, '<13>no head at all'],
    [
      'no priority',
      { Facility: '0', Severity: '0', 'flume.syslog.status': 'Invalid' },
      'no priority',
    ],
    ['<1234>x', { Facility: '0', Severity: '0', 'flume.syslog.status': 'Invalid' }, '<1234>x'],
    ['<>x', { Facility: '0', Severity: '0', 'flume.syslog.status': 'Invalid' }, '<>x'],
  ]
  for (const [line, headers, body] of CASES) {
    it(`reads ${JSON.stringify(line)}`, () => {
      assert.deepEqual(parse('single', line), { headers, body })
    })
  }

  it('keeps the parts that keepFields names, in their fixed order', () => {
    const line = '<34>1 2026-11-20T10:00:00.123Z h1 app body'
    const bodies = [
      'none',
      'timestamp',
      'hostname Version TIMESTAMP priority',
      'all',
      'true',
      'false',
    ]
    assert.deepEqual(
      bodies.map((keep) => parse('single', line, keep).body),
      ['app body', '2026-11-20T10:00:00.123Z app body', line, line, line, 'app body'],
    )
    assert.equal(parse('single', '<34>1 - - x', 'timestamp hostname').body, '- - x')
  })

  it('passes bytes on that are no UTF-8', () => {
    const line = Buffer.from('<34>1 - - gr\xfcn', 'latin1')
    const { body } = singlePortParser(keptFields('none'), clock)(line, undefined)
    assert.deepEqual(body, Buffer.from('gr\xfcn', 'latin1'))
  })
})

describe('the parser of multiport_syslogtcp', () => {
  const CASES: readonly [line: string, headers: Record<string, string>, body: string][] = [
    [
      '<34>1 2026-11-20T10:00:00.1+02:00 h1 app body\r',
      {
        Facility: '4',
        Severity: '2',
        Priority: '34',
        Version: '1',
        timestamp: at('2026-11-20T08:00:00.100Z'),
        host: 'h1',
      },
      'app body\r',
    ],
    [
      '<1000>Nov 20 10:00:00 h1 x',
      {
        Facility: '125',
        Severity: '0',
        Priority: '1000',
        timestamp: at('2026-11-20T10:00:00Z'),
        host: 'h1',
      },
      'x',
    ],
    [
      '<13>Dec 30 10:00:00 h1 x',
      {
        Facility: '1',
        Severity: '5',
        Priority: '13',
        timestamp: at('2025-12-30T10:00:00Z'),
        host: 'h1',
      },
      'x',
    ],
    [
      '<13>1 - - x',
      {
        Facility: '1',
        Severity: '5',
        Priority: '13',
        Version: '1',
        timestamp: String(NOW),
        host: '-',
      },
      'x',
    ],
    [
      '<13>1 - h1 ',
      {
        Facility: '1',
        Severity: '5',
        Priority: '13',
        Version: '1',
        timestamp: String(NOW),
        host: 'h1',
      },
      '<13>1 - h1 ',
    ],
    ['<13>1 2026-11-20 h1 x', { 'flume.syslog.status': 'Invalid' }, '<13>1 2026-11-20 h1 x'],
    [
      '<13>Nov 20 10:00:00 nohost',
      { 'flume.syslog.status': 'Invalid' },
      '<13>Nov 20 10:00:00 nohost',
    ],
    ['<a>Nov 20 10:00:00 h1 x', { 'flume.syslog.status': 'Invalid' }, '<a>Nov 20 10:00:00 h1 x'],
    ['x', { 'flume.syslog.status': 'Invalid' }, 'x'],
  ]
  for (const [line, headers, body] of CASES) {
    it(`reads ${JSON.stringify(line)}`, () => {
      assert.deepEqual(parse('multi', line), { headers, body })
    })
  }

  it('marks what is no text of its character set as invalid, and passes it on', () => {
    const line = Buffer.from('<13>1 - h1 gr\xfcn', 'latin1')
    const keep = keptFields('none')
    assert.deepEqual(multiPortParser(keep, 'UTF-8', clock)(line, undefined), {
      headers: { 'flume.syslog.status': 'Invalid' },
      body: line,
    })
    const { body } = multiPortParser(keep, 'ISO-8859-1', clock)(line, undefined)
    assert.deepEqual(body, Buffer.from('gr\xfcn', 'latin1'))
  })
})

describe('syslog times', () => {
  it('have the year that brings them nearest to now', () => {
    const time = new SyslogTime(clock, { isUtc: true })
    const years = ['Nov 22 12:00:00', 'Dec 20 10:00:00', 'Dec 30 10:00:00', 'Jan  5 10:00:00']
    assert.deepEqual(
      years.map((text) => new Date(time.rfc3164(text) ?? 0).getUTCFullYear()),
      [2026, 2026, 2025, 2026],
    )
    const january = new SyslogTime(new FakeClock(Date.UTC(2027, 0, 5)), { isUtc: true })
    assert.equal(new Date(january.rfc3164('Dec 31 23:59:59') ?? 0).getUTCFullYear(), 2026)
  })
})

describe('syslog lines', () => {
  it('are cut at line feeds, across chunks, without the empty ones', () => {
    const lines = new SyslogLines(100)
    const texts = ['a', 'b\n\ncd', 'e\n', 'rest'].flatMap((chunk) =>
      lines.add(Buffer.from(chunk)).map(({ bytes }) => bytes.toString()),
    )
    assert.deepEqual(texts, ['ab', 'cde'])
    assert.deepEqual(lines.end(), [{ bytes: Buffer.from('rest'), status: 'Incomplete' }])
  })

  it('end at eventSize bytes, as incomplete', () => {
    const lines = new SyslogLines(4).add(Buffer.from('abcdefghij\nabcd\nabc\n'))
    assert.deepEqual(
      lines.map(({ bytes, status }) => [bytes.toString(), status]),
      [
        ['abcd', 'Incomplete'],
        ['efgh', 'Incomplete'],
        ['ij', undefined],
        ['abcd', 'Incomplete'],
        ['abc', undefined],
      ],
    )
  })
})
