import assert from 'node:assert/strict'
import { parseProperties } from '@millrace/agent-core'
import * as fc from 'fast-check'
import { findingsOf, writeProperties } from '../../support/configuration/loading.js'

const PICKY =
  '\\|\\\\|\n|\r|\r\n| |\t|\f|#|!|=|:|u|\\u|0|a|é|${|}|$|:-|a1.|sources|channels|.|\u2028|\0'

/** A file's text made of what the format is picky about. */
const pickyText = fc
  .array(fc.constantFrom(...PICKY.split('|')), { maxLength: 60 })
  .map((parts) => parts.join(''))

describe('any properties file', () => {
  it('gives back the entries that were written', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }), text)),
        (entries) => {
          const parsed = parseProperties(Buffer.from(writeProperties(entries)))
          assert.deepEqual(
            parsed.map(({ key, value }) => [key, value]),
            entries.map(([key, value]) => [key, value]),
          )
          assert.deepEqual(
            parsed.map(({ line }) => line),
            entries.map((_, index) => index + 1),
          )
        },
      ),
      { numRuns: 500 },
    )
  })

  it('reads the same with other line ends, comments between and lines cut in two', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '=', '\\', 'é'), minLength: 1 })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 5 }),
        fc.constantFrom('\n', '\r', '\r\n'),
        (entries, end) => {
          const plain = writeProperties(entries)
          const decorated = plain
            .split('\n')
            .filter(Boolean)
            .flatMap((line) => {
              const [, key, value] = /^((?:\\.|[^=\\])*=)(.*)$/.exec(line) ?? []
              return ['# comment \\', '', `${key}\\`, ` \t${value}`]
            })
            .join(end)
          const read = (text: string) =>
            parseProperties(Buffer.from(text)).map(({ key, value }) => [key, value])
          assert.deepEqual(read(`${decorated}${end}`), read(plain))
        },
      ),
    )
  })

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        parseProperties(bytes)
      }),
    )
    fc.assert(
      fc.property(pickyText, (text) => {
        const lines = text.split(/\r\n|\r|\n/).length
        for (const { line } of parseProperties(Buffer.from(text))) {
          assert.ok(line >= 1 && line <= lines)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('loads to findings, never to a throw', async () => {
    await fc.assert(
      fc.asyncProperty(pickyText, async (text) => {
        await findingsOf(`a1.channels = c1\n${text}`)
      }),
      { numRuns: 200 },
    )
  })
})
