import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'
import { eventJson } from 'millrace/internal/receive/event-json'

const json = (headers: Record<string, string>, body: string | Buffer) =>
  eventJson(EventBatch.of([{ headers, body }]).at(0), 0)

describe('an event as a line of JSON', () => {
  it('holds the time of arrival, headers and body', () => {
    assert.equal(
      json({ host: 'web-1' }, 'disk\n91%'),
      '{"receivedAt":"1970-01-01T00:00:00.000Z","headers":{"host":"web-1"},"body":"disk\\n91%"}\n',
    )
  })

  it('marks a body that is not UTF-8 and gives it in base64', () => {
    const line = JSON.parse(json({}, Buffer.from([0xff, 0x00])))
    assert.deepEqual([line.body, line.bodyEncoding], ['/wA=', 'base64'])
  })

  it('keeps a header of any name', () => {
    const line = json(Object.fromEntries([['__proto__', 'x']]), '')
    assert.match(line, /"headers":\{"__proto__":"x"\}/)
  })

  it('has no control character in it but its newline', () => {
    const line = json({ '\u009b': '\u202e' }, '\u001b[2J\u007f')
    // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
    assert.match(line, /^[^\u0000-\u001f\u007f-\u009f\u202e]*\n$/)
    assert.equal(JSON.parse(line).body, '\u001b[2J\u007f')
  })
})
