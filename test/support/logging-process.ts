/** A process that logs three records, then flushes, closes or just ends: `HOSTS log|flush|close`. */
import { Appender } from '@millrace/appender'
import { record } from './fake-receiver.js'

const [hosts = '', mode] = process.argv.slice(2)
const appender = new Appender(
  { hosts, diagnostics: 'off', flushTimeoutMs: 1_000, exitTimeoutMs: 700 },
  { loggerName: 'process' },
)
for (const text of ['one', 'two', 'three']) appender.append(record(text))
if (mode === 'flush') console.log(`flushed ${await appender.flush()}`)
if (mode === 'close') {
  await appender.close()
  console.log(`closed ${appender.state().delivered}`)
}
