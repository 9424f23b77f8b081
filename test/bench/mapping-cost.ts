/** What one record costs in the mapping: nanoseconds of `encode`, per shape. Prints JSON. */
import { checkAppenderOptions, createEventMapper, type LogRecord } from '@millrace/appender'
import { ByteWriter } from '@millrace/event'

const ROUNDS = 5
const RECORDS = Number(process.argv[2] ?? 100_000)
const BATCH = 100

const message = 'x'.repeat(100)
const base: LogRecord = {
  timestampMs: 1_790_000_000_000,
  level: 20_000,
  levelName: 'info',
  loggerName: 'billing',
  text: message,
  attributes: { user: 'u-4711', attempt: 3, path: '/api/orders' },
}

const shapes: Record<string, { options: object; record: LogRecord }> = {
  'log4j1 text': { options: {}, record: base },
  'log4j1 text, 3 context headers': {
    options: { context: { include: ['user', 'attempt', 'path'] } },
    record: base,
  },
  'log4j1 text, error': { options: {}, record: { ...base, error: new Error('boom') } },
  'log4j1 json': { options: { body: 'json' }, record: base },
  'log4j1-strict text': { options: { profile: 'log4j1-strict' }, record: base },
  'log4j1 text, not ASCII': { options: {}, record: { ...base, text: 'ä€'.repeat(50) } },
}

const result: Record<string, number> = {}
for (const [name, { options, record }] of Object.entries(shapes)) {
  const settings = { ...checkAppenderOptions({ hosts: ['h:1'], ...options }), loggerName: 'bench' }
  const mapper = createEventMapper(settings)
  const writer = new ByteWriter(64 * 1_024)
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < RECORDS; i += 1) {
      if (i % BATCH === 0) writer.position = 0
      // The millisecond changes every fifty records, as at 50,000 records a second.
      mapper.encode(
        i % 50 === 0 ? { ...record, timestampMs: record.timestampMs + i } : record,
        writer,
      )
    }
    best = Math.min(best, Number(process.hrtime.bigint() - start) / RECORDS)
  }
  result[name] = Math.round(best)
}
console.log(JSON.stringify({ unit: 'ns per record', node: process.version, result }, null, 2))
