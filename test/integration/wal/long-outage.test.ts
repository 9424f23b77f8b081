import assert from 'node:assert/strict'
import { FakeClock, SimulatedDisk } from '@millrace/testkit'
import { Log, type LogOptions } from '@millrace/wal'
import { drain, logOptions, numbered, range } from '../../support/wal.js'

const HOUR_MS = 3_600_000
const HOURS = 100
const EVENTS_AN_HOUR = 50

describe('a log whose sinks are away for days', () => {
  it('has every event of a hundred hours for them, over restarts, and lets all go afterwards', async () => {
    const disk = new SimulatedDisk()
    const clock = new FakeClock()
    const options: LogOptions = { ...logOptions('/log'), disk, clock }
    let log = await Log.open(options)
    for (let hour = 0; hour < HOURS; hour += 1) {
      const first = hour * EVENTS_AN_HOUR
      await log.append(numbered(first, first + EVENTS_AN_HOUR, 200))
      await clock.advance(HOUR_MS)
      if (hour % 24 !== 23) continue
      await log.close()
      log = await Log.open(options)
    }
    const consumer = log.consumer('sinks')
    assert.equal(consumer.backlog.events, HOURS * EVENTS_AN_HOUR)
    assert.deepEqual(await drain(consumer, { isDone: true }), range(0, HOURS * EVENTS_AN_HOUR))
    await clock.advance(HOUR_MS)
    assert.equal(consumer.backlog.events, 0)
    assert.equal(log.stats().segments, 1)
    assert.equal(log.stats().lostEvents, 0)
    await log.close()
  })
})
