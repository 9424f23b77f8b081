import assert from 'node:assert/strict'
import { GOLDEN, golden, ownEvents } from '../../support/interop/appender-records.js'

/** Recorded from the Java appenders; the tests of test/full record them anew and compare. */
describe('events of our appenders and those that the Java appenders send', () => {
  for (const name of GOLDEN) {
    it(`are the same for the same records: ${name}`, async () => {
      const expected = golden(name)
      assert.ok(expected.length > 0)
      assert.deepEqual(await ownEvents(name), expected)
    })
  }
})
