import assert from 'node:assert/strict'
import { NullSink } from '@millrace/agent-core/internal/sinks/null'
import { batchOf, keptLogger, sinkContext } from '../../support/component-context.js'

describe('null sink', () => {
  it('logs each time that so many events are gone', async () => {
    const { logger, lines } = keptLogger()
    const sink = new NullSink({ batchSize: 100, logEveryNEvents: 4 }, logger)
    await sink.start(sinkContext())
    await sink.write(batchOf('1', '2', '3'))
    assert.equal(lines.length, 0)
    await sink.write(batchOf('4', '5'))
    await sink.write(batchOf('6', '7', '8', '9', '10', '11', '12', '13'))
    await sink.write(batchOf('14'))
    assert.deepEqual(
      lines.map((line) => line.replace(/^.*: /, '').trim()),
      ['5 events discarded', '13 events discarded'],
    )
  })
})
