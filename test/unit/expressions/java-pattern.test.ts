import assert from 'node:assert/strict'
import { datePattern } from '@millrace/agent-core/internal/expressions/date-pattern'
import { JavaPattern } from '@millrace/agent-core/internal/expressions/java-pattern'
import {
  parseReplacement,
  replacementFor,
} from '@millrace/agent-core/internal/expressions/replacement'

const find = (pattern: string, text: string) => new JavaPattern(pattern).regExp().exec(text)?.[0]

describe('a Java regular expression', () => {
  // What java.util.regex finds first in the text; undefined for nothing.
  const FOUND: readonly (readonly [string, string, string | undefined])[] = [
    ['a++b', 'aab', 'aab'],
    ['a*+a', 'aaa', undefined],
    ['(?>a|ab)c', 'abc', undefined],
    ['(?i)abc', 'xABC', 'ABC'],
    ['a(?i)b|c', 'C', 'C'],
    ['(?i:a)b', 'AB', undefined],
    ['(?s)a.b', 'a\nb', 'a\nb'],
    ['a.b', 'a\u0085b', undefined],
    ['(?x) a b # c', 'ab', 'ab'],
    ['\\Qa.b*\\Ec', 'a.b*c', 'a.b*c'],
    ['\\p{Alpha}+', '12ab3', 'ab'],
    ['\\p{Punct}', 'a-b', '-'],
    ['\\p{IsGreek}', 'xα', 'α'],
    ['[a-z&&[^bc]]+', 'bcad', 'ad'],
    ['[a-c[x-z]]+', 'mxa', 'xa'],
    ['[^a-d[m-p]]', 'ame', 'e'],
    ['[]a]+', 'a]', 'a]'],
    ['\\h+', 'a\u00a0\tb', '\u00a0\t'],
    ['\\s', '\u00a0', undefined],
    ['a\\R', 'a\r\n', 'a\r\n'],
    ['\\Aa\\z', 'a\n', undefined],
    ['a\\Z', 'a\r\n', 'a'],
    ['a$', 'a\n', 'a'],
    ['(?m)^b$', 'a\nb\nc', 'b'],
    ['(?m)^', '', undefined],
    ['(?<x>a)\\k<x>', 'aa', 'aa'],
    ['\\x{1F600}', '😀', '😀'],
    ['\\bein', 'grünein', undefined],
    ['(?:x*|a)?', 'a', ''],
  ]
  for (const [pattern, text, expected] of FOUND) {
    it(`finds ${JSON.stringify(expected)} with ${pattern} in ${JSON.stringify(text)}`, () => {
      assert.equal(find(pattern, text), expected)
    })
  }

  it('numbers its groups as Java does, whatever is translated between them', () => {
    const pattern = new JavaPattern('(a)(?>b++)(?<third>c)')
    const match = pattern.regExp().exec('abbc')
    assert.ok(match)
    assert.deepEqual([pattern.group(match, 1), pattern.group(match, 2)], ['a', 'c'])
    assert.equal(pattern.groupNumber('third'), 2)
  })

  const REFUSED: readonly (readonly [string, string, RegExp])[] = [
    ['(', 'MILLRACE_CONFIG_INVALID', /ends too early|\( too many/],
    ['*a', 'MILLRACE_CONFIG_INVALID', /repeats nothing/],
    ['a{', 'MILLRACE_CONFIG_INVALID', /number of repeats/],
    ['\\y', 'MILLRACE_CONFIG_INVALID', /escape \\y/],
    ['(?u)a', 'MILLRACE_CONFIG_UNSUPPORTED', /the flag u/],
    ['\\Ga', 'MILLRACE_CONFIG_UNSUPPORTED', /the escape \\G/],
    ['\\p{InGreek}', 'MILLRACE_CONFIG_UNSUPPORTED', /\\p\{InGreek\}/],
    ['(?:(a)|b)*', 'MILLRACE_CONFIG_UNSUPPORTED', /a group that need not match/],
    ['(a|(b))\\2', 'MILLRACE_CONFIG_UNSUPPORTED', /may not have matched/],
    ['(?<=(a))b', 'MILLRACE_CONFIG_UNSUPPORTED', /lookbehind/],
  ]
  for (const [pattern, code, message] of REFUSED) {
    it(`refuses ${pattern} by name`, () => {
      assert.throws(() => new JavaPattern(pattern), { code, message })
    })
  }

  it('has a bound for what is linear, and none for what is exponential', () => {
    assert.ok(new JavaPattern('^\\d+ (ERROR|WARN) \\S+').stepBound(1_000) < 100_000)
    assert.ok(new JavaPattern('^[^=]+=[^ ]+ x').stepBound(1_000) < 100_000)
    assert.ok(new JavaPattern('a.*b.*c').stepBound(1_000) > 1_000_000)
    assert.equal(new JavaPattern('(a+)+b').stepBound(10_000), Number.POSITIVE_INFINITY)
  })

  it('replaces as Java does', () => {
    const pattern = new JavaPattern('(?<k>\\w)=(\\w)')
    const match = pattern.regExp().exec('a=b')
    assert.ok(match)
    const replace = (text: string) =>
      replacementFor(parseReplacement(text, pattern), pattern, match)
    assert.equal(replace('$2:${k}\\$$11'), 'b:a$a1')
    assert.throws(() => parseReplacement('$3', pattern), /names group 3/)
    assert.throws(() => parseReplacement('a$', pattern), /names no group/)
  })
})

describe('a pattern for times', () => {
  const read = (pattern: string, text: string) =>
    datePattern(pattern, () => Date.UTC(2026, 0))(text)
  it('reads what Joda-Time reads', () => {
    assert.equal(
      read("yyyy-MM-dd'T'HH:mm:ss.SSSZ", '2026-11-24T10:00:00.5+0200'),
      Date.UTC(2026, 10, 24, 8, 0, 0, 500),
    )
    assert.equal(
      read('dd/MMM/yyyy:HH:mm:ss Z', '01/Feb/2026:01:02:03 -0100'),
      Date.UTC(2026, 1, 1, 2, 2, 3),
    )
    assert.equal(read('yyMMddHHmm', '2602011530'), new Date(2026, 1, 1, 15, 30).getTime())
    assert.equal(
      read('yyyy-MM-dd hh:mm a', '2026-01-01 12:30 AM'),
      new Date(2026, 0, 1, 0, 30).getTime(),
    )
    assert.equal(read('yyyy-MM-dd', '2026-02-30'), undefined)
    assert.equal(read('yyyy-MM-dd', '2026-02-03x'), undefined)
  })
  it('refuses letters that it does not know', () => {
    assert.throws(() => read('GG yyyy', ''), { code: 'MILLRACE_CONFIG_UNSUPPORTED' })
  })
})
