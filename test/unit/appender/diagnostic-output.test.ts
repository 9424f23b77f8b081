import assert from 'node:assert/strict'
import { Appender } from '@millrace/appender'
import { record } from '../../support/fake-receiver.js'
import { until } from '../../support/until.js'

describe('the lines of an appender', () => {
  it('are not written inside the log call, say the number of cases, and stop at one a kind', async () => {
    const lines: string[] = []
    const { write } = process.stderr
    Reflect.set(process.stderr, 'write', (text: string, done: () => void) => {
      lines.push(text)
      done()
      return true
    })
    const appender = new Appender(
      { hosts: ['127.0.0.1:1'], queue: { maxEvents: 1 }, closeTimeoutMs: 1 },
      { loggerName: 'l' },
    )
    try {
      for (let i = 0; i < 50; i += 1) appender.append(record('x'))
      assert.deepEqual(lines, [])
      await until(() => lines.length > 0, { what: 'the first line' })
      assert.match(
        lines.join(''),
        /^millrace appender: dropped: the queue is full; .*drop-oldest\n/,
      )
      await appender.close()
      const dropped = lines.join('').match(/^millrace appender: dropped: .*$/gm) ?? []
      assert.match(dropped[1] ?? '', /the queue is full; .* \(48 events\)$/)
      assert.ok(dropped.length <= 3)
    } finally {
      Reflect.set(process.stderr, 'write', write)
    }
  })
})
