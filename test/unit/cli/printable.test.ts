import assert from 'node:assert/strict'
import { assert as check, property, string } from 'fast-check'
import { printable, printableJson, printableLine } from 'millrace/internal/receive/printable'

describe('printable text', () => {
  it('shows escape sequences instead of obeying them', () => {
    assert.equal(printable('a\u001b[31mred\u001b[0m'), 'a\\x1b[31mred\\x1b[0m')
    assert.equal(printable('\u009b2J\u0007\u0008\u007f'), '\\x9b2J\\x07\\x08\\x7f')
  })

  it('shows characters that turn the reading direction', () => {
    assert.equal(printable('\u202eabc\u2066'), '\\u202eabc\\u2066')
  })

  it('keeps tabs and newlines and reads CR LF as a newline', () => {
    assert.equal(printable('a\tb\r\nc\rd'), 'a\tb\nc\\x0dd')
  })

  it('keeps letters of every language and emoji', () => {
    const text = 'grün 漢字 עברית 👩‍🚀 ñ'
    assert.equal(printable(text), text)
  })

  it('becomes one line where one is wanted', () => {
    assert.equal(printableLine('a\nb\tc'), 'a\\nb\\tc')
  })

  it('leaves no control character of any input', () => {
    check(
      property(string({ unit: 'binary', maxLength: 40 }), (text) => {
        // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
        assert.doesNotMatch(printableLine(text), /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/)
      }),
    )
  })

  it('in JSON stands for the same value', () => {
    check(
      property(string({ unit: 'binary', maxLength: 40 }), (text) => {
        const json = printableJson(JSON.stringify({ text }))
        assert.deepEqual(JSON.parse(json), { text })
        // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
        assert.doesNotMatch(json, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/)
      }),
    )
  })
})
