import assert from 'node:assert/strict'
import { format } from 'node:util'
import { type MillraceAppenderConfig, configure } from '@millrace/log4js'
import * as fc from 'fast-check'
import log4js from 'log4js'
import type { LoggingEvent } from 'log4js'
import { type MockReceiver, mockReceiver } from '@millrace/testkit/receiver'

/** Objects near the edge of what is written in the short way. */
const value = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 5 }),
  fc.constantFrom("it's", 'a\\b', 'a\nb', '', '%s', '100 %', -0, Number.NaN, null, undefined),
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.boolean(),
)
const key = fc.oneof(
  fc.stringMatching(/^[a-z]{1,8}$/),
  fc.constantFrom('constructor', '__proto__', 'a-b', '1', 'ä', '$', '_'),
)
const object = fc.oneof(
  fc.dictionary(key, value, { maxKeys: 7, noNullPrototype: false }),
  fc.array(value, { maxLength: 3 }),
  fc.dictionary(key, fc.dictionary(key, value, { maxKeys: 2 }), { maxKeys: 2 }),
  fc.constantFrom(
    new Date(0),
    /x/,
    new Map([[1, 2]]),
    {
      get a() {
        return 1
      },
    },
    { [Symbol('s')]: 1, a: 1 },
    Object.defineProperty({ a: 1 }, 'constructor', { value: RangeError, enumerable: false }),
    new (class Named {
      a = 1
    })(),
  ),
)

describe('log4js: the text of a message', () => {
  let receiver: MockReceiver
  before(async () => {
    receiver = await mockReceiver()
  })
  after(() => receiver.close())

  it('is what util.format gives, for any arguments', async () => {
    const texts: string[] = []
    const options: MillraceAppenderConfig = {
      hosts: [receiver.address],
      queue: { maxEvents: 100_000 },
    }
    const appender = configure(options)
    const event = (data: unknown[]) =>
      ({
        startTime: new Date(),
        categoryName: 'c',
        data,
        level: log4js.levels.INFO,
        context: {},
        pid: 1,
      }) as unknown as LoggingEvent
    fc.assert(
      fc.property(fc.array(fc.oneof(value, object), { minLength: 1, maxLength: 4 }), (data) => {
        appender(event(data))
        texts.push(format(...data))
      }),
      { numRuns: 3_000 },
    )
    await new Promise<void>((resolve) => appender.shutdown(() => resolve()))
    assert.deepEqual(
      receiver.events.map(({ text }) => text),
      texts.map((text) => Buffer.from(text).toString()),
    )
  })
})
