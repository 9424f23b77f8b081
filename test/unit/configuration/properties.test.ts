import assert from 'node:assert/strict'
import { parseProperties } from '@millrace/agent-core'

const parse = (text: string | Uint8Array) =>
  parseProperties(Buffer.from(text)).map(({ key, value, line }) => [line, key, value])

describe('a properties file', () => {
  it('separates a key from its value by =, : or blanks', () => {
    assert.deepEqual(parse('a=1\nb:2\nc 3\nd \t = \f4\ne\t:5\nf  =  = 6\ng=:7\nh'), [
      [1, 'a', '1'],
      [2, 'b', '2'],
      [3, 'c', '3'],
      [4, 'd', '4'],
      [5, 'e', '5'],
      [6, 'f', '= 6'],
      [7, 'g', ':7'],
      [8, 'h', ''],
    ])
  })

  it('keeps blanks at the end of a value', () => {
    assert.deepEqual(parse('a = 1 \t\n'), [[1, 'a', '1 \t']])
  })

  it('skips blank lines and comments, which continue nothing', () => {
    assert.deepEqual(parse('\n  \t\n# a=1 \\\nb=2\n  ! c=3\nd=4 # five'), [
      [4, 'b', '2'],
      [6, 'd', '4 # five'],
    ])
  })

  it('joins a line that ends in an odd number of backslashes with the next', () => {
    assert.deepEqual(parse('a = x, \\\n    y, \\\n\t z\nb=1\\\\\nc=2\\\\\\\n3'), [
      [1, 'a', 'x, y, z'],
      [4, 'b', '1\\'],
      [5, 'c', '2\\3'],
    ])
  })

  it('lets a continuation be what would be a comment', () => {
    assert.deepEqual(parse('a=1\\\n#2\nb=3'), [
      [1, 'a', '1#2'],
      [3, 'b', '3'],
    ])
  })

  it('ends a continuation at a blank line', () => {
    assert.deepEqual(parse('a=1\\\n\nb=2'), [
      [1, 'a', '1'],
      [3, 'b', '2'],
    ])
  })

  it('continues into nothing at the end of the file', () => {
    assert.deepEqual(parse('a=1\\'), [[1, 'a', '1']])
    assert.deepEqual(parse('a=1\\\n'), [[1, 'a', '1']])
    assert.deepEqual(parse('\\'), [])
  })

  it('gives an entry the line on which its key starts', () => {
    assert.deepEqual(parse('# one\n\\\n  \\\n  key = value\nnext=1'), [
      [4, 'key', 'value'],
      [5, 'next', '1'],
    ])
  })

  it('ends lines at LF, CR and CRLF', () => {
    assert.deepEqual(parse('a=1\r\nb=2\rc=3\nd=4\\\r\n 5\r\n\re=6'), [
      [1, 'a', '1'],
      [2, 'b', '2'],
      [3, 'c', '3'],
      [4, 'd', '45'],
      [7, 'e', '6'],
    ])
  })

  it('reads escapes in keys and values', () => {
    assert.deepEqual(parse('a\\ b\\=c\\:d = \\t\\n\\r\\f\\q\\\\\\u00e9\\ \n\\#k=1\n\\u0041=\\"'), [
      [1, 'a b=c:d', '\t\n\r\fq\\é '],
      [2, '#k', '1'],
      [3, 'A', '"'],
    ])
  })

  it('keeps repetitions', () => {
    assert.deepEqual(parse('a=1\na=2'), [
      [1, 'a', '1'],
      [2, 'a', '2'],
    ])
  })

  it('is UTF-8 where it can be, with or without a byte order mark', () => {
    assert.deepEqual(parse('\ufeffa=Zürich €'), [[1, 'a', 'Zürich €']])
  })

  it('is ISO-8859-1 where it is not UTF-8', () => {
    assert.deepEqual(parse(Buffer.from('a=Z\xfcrich \xc3\xa4', 'latin1')), [[1, 'a', 'Zürich Ã¤']])
  })

  it('reports a malformed \\u and goes on', () => {
    const entries = parseProperties(Buffer.from('a=1\nb=\\u12G4 x\\u0041\n\\u1=2\nc=3'))
    assert.deepEqual(
      entries.map(({ line, malformed }) => [line, malformed]),
      [
        [1, undefined],
        [2, '\\u12G4'],
        [3, '\\u1'],
        [4, undefined],
      ],
    )
    assert.equal(entries[1]?.value, '\\u12G4 xA')
  })
})
