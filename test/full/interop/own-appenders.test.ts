import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { type MockReceiver, mockReceiver } from '@millrace/testkit/receiver'
import {
  type ComparableEvent,
  comparable,
  golden,
  goldenFile,
  type GoldenName,
  ownEvents,
  SCHEMA_URL,
} from '../../support/interop/appender-records.js'
import { javaPeer } from '../../support/interop/java-peer.js'

/** The messages that only Java has: a record of Flume's own schema, a list with a leaked schema header. */
const OF_JAVA_ALONE = /AvroFlumeEvent|text behind it in a list/

describe('events of our appenders, to what Flume’s appenders send now', function () {
  this.timeout(120_000)
  let receiver: MockReceiver
  before(async () => {
    receiver = await mockReceiver()
  })
  after(() => receiver.close())
  beforeEach(() => receiver.clear())

  const log4j1 = (settings: Record<string, string>) => ({
    'log4j.rootLogger': 'TRACE, flume',
    'log4j.appender.flume': 'org.apache.flume.clients.log4jappender.Log4jAppender',
    'log4j.appender.flume.Hostname': '127.0.0.1',
    'log4j.appender.flume.Port': String(receiver.port),
    ...settings,
  })
  const log4j2 = () => `
    <Configuration status="OFF">
      <Appenders>
        <Flume name="flume" ignoreExceptions="false" compress="false">
          <Agent host="127.0.0.1" port="${receiver.port}"/>
          <PatternLayout charset="UTF-8" alwaysWriteExceptions="false" pattern="%m"/>
        </Flume>
      </Appenders>
      <Loggers><Root level="trace"><AppenderRef ref="flume"/></Root></Loggers>
    </Configuration>`

  const programs: Record<GoldenName, () => Promise<string[]>> = {
    'log4j1-text': () => javaPeer('1.11').logWithLog4j1(log4j1({}), 'text'),
    'log4j1-records': () => javaPeer('1.11').logWithLog4j1(log4j1({}), 'records'),
    'log4j1-records-url': () =>
      javaPeer('1.11').logWithLog4j1(
        log4j1({ 'log4j.appender.flume.AvroSchemaUrl': SCHEMA_URL }),
        'records',
      ),
    log4j2: () => javaPeer('1.11').logWithLog4j2(log4j2()),
  }

  /** What the Java program sent, without what has no counterpart here. */
  function sent(name: GoldenName): ComparableEvent[] {
    const events = receiver.events.filter(({ headers, text }) => {
      const schema = headers['flume.avro.schema.literal'] ?? ''
      if (name === 'log4j2') return !('amount' in headers || 'city' in headers)
      return (
        !OF_JAVA_ALONE.test(schema) &&
        !OF_JAVA_ALONE.test(text) &&
        text !== '\u0002\u0002k\u0002v\u0000\nhello'
      )
    })
    return events.map(comparable)
  }

  for (const [name, run] of Object.entries(programs) as [GoldenName, () => Promise<string[]>][]) {
    it(`are the same for the same records, and as recorded: ${name}`, async () => {
      assert.deepEqual(await run(), [])
      const java = sent(name)
      if (process.env['RECORD_APPENDERS'] !== undefined) {
        writeFileSync(goldenFile(name), `${JSON.stringify(java, undefined, 1)}\n`)
      }
      assert.deepEqual(java, golden(name))
      assert.deepEqual(await ownEvents(name), java)
    })
  }
})
