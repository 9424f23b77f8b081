import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'
import { formatEvent } from 'millrace/internal/receive/event-text'
import { viewEvent } from 'millrace/internal/receive/event-view'
import pc from 'picocolors'

const NOON = new Date(2026, 10, 24, 12, 0, 0, 7).getTime()
const HEADERS = {
  'flume.client.log4j.timestamp': String(NOON),
  'flume.client.log4j.log.level': '30000',
  'flume.client.log4j.logger.name': 'billing',
  host: 'web-1',
}

function show(
  headers: Record<string, string>,
  body: string | Buffer,
  options: { colour?: boolean; showHeaders?: boolean } = {},
): string {
  const view = viewEvent(EventBatch.of([{ headers, body }]).at(0), NOON)
  return formatEvent(view, {
    colours: pc.createColors(options.colour ?? false),
    showHeaders: options.showHeaders ?? false,
    nowMs: NOON,
  })
}

describe('an event on the terminal', () => {
  it('shows time, level, logger, host and message in one line', () => {
    assert.equal(show(HEADERS, 'disk 91%'), '12:00:00.007 WARN  billing web-1  disk 91%\n')
  })

  it('prefers the level name that the logger gave', () => {
    const text = show({ ...HEADERS, 'millrace.level.name': 'http' }, 'GET /')
    assert.equal(text, '12:00:00.007 HTTP  billing web-1  GET /\n')
  })

  it('stands for what no header tells', () => {
    assert.equal(show({}, 'line'), '12:00:00.007 -     - -  line\n')
  })

  it('carries the date when it is not of today', () => {
    const then = new Date(2026, 10, 23, 23, 59, 59, 999).getTime()
    assert.match(
      show({ ...HEADERS, 'flume.client.log4j.timestamp': String(then) }, 'x'),
      /^2026-11-23 23:59:59\.999 WARN/,
    )
  })

  it('takes the time of arrival when the timestamp is no time', () => {
    const text = show({ ...HEADERS, 'flume.client.log4j.timestamp': '9999999999999999' }, 'x')
    assert.match(text, /^12:00:00\.007/)
  })

  it('indents a stack trace below the message', () => {
    assert.equal(
      show(HEADERS, 'Error: boom\n    at a (a.js:1:2)\n    at b (b.js:3:4)\n'),
      '12:00:00.007 WARN  billing web-1  Error: boom\n        at a (a.js:1:2)\n        at b (b.js:3:4)\n',
    )
  })

  it('shows headers on request', () => {
    const text = show({ host: 'web-1' }, 'x', { showHeaders: true })
    assert.equal(text, '12:00:00.007 -     - web-1  x\n    host: web-1\n')
  })

  it('shows message, other fields and stack of a JSON body', () => {
    const body = JSON.stringify({ msg: 'lost', vol: '/data', err: { stack: 'Error: x\n    at a' } })
    assert.equal(
      show({ ...HEADERS, 'millrace.body.format': 'json' }, body),
      '12:00:00.007 WARN  billing web-1  lost\n    {"vol":"/data"}\n    Error: x\n        at a\n',
    )
  })

  it('shows a line that winston rendered as JSON like that', () => {
    const body = '{"level":"warn","message":"disk","percent":91,"stack":"Error: x\\n    at a"}'
    assert.equal(
      show(HEADERS, body),
      '12:00:00.007 WARN  billing web-1  disk\n    {"percent":91}\n    Error: x\n        at a\n',
    )
  })

  it('shows JSON without a message as it is', () => {
    assert.match(show(HEADERS, '{"a":1}'), / {2}\{"a":1\}\n$/)
  })

  it('shows a body that claims to be JSON and is not as it is', () => {
    const text = show({ ...HEADERS, 'millrace.body.format': 'json' }, '{oops')
    assert.match(text, / {2}\{oops\n$/)
  })

  it('shows JSON that is nested too deep to be written again as it is', () => {
    const body = `{"msg":"x","deep":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
    assert.match(show(HEADERS, body), / {2}\{"msg":"x","deep":\[/)
  })

  it('says how long a body is that is no text', () => {
    assert.match(show(HEADERS, Buffer.from([0xff, 0x00])), /\(2 bytes that are no text: ff00\)/)
  })

  it('obeys no escape sequence, wherever it stands', () => {
    const evil = '\u001b]0;owned\u0007\n\u001b[2J'
    const text = show(
      {
        host: evil,
        [evil]: evil,
        'flume.client.log4j.logger.name': evil,
        'millrace.level.name': evil,
      },
      evil,
      { showHeaders: true },
    )
    // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
    assert.doesNotMatch(text, /[\u0007\u001b]/)
    assert.equal(text.split('\n').length, 7, text)
  })

  it('is coloured when asked for', () => {
    assert.ok(show(HEADERS, 'x', { colour: true }).includes('\u001b[33mWARN \u001b[39m'))
  })
})
