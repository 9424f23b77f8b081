/**
 * What one record costs an application: process CPU of the whole path, deferred work and all threads
 * included, against the same loop without an appender. The receiver is another process. Prints JSON.
 *
 *     node test/dist/bench/appender-cost.js [records a second: 0 is as fast as it can] [records]
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { Appender, type LogRecord } from '@millrace/appender'
import { AvroRpcServer } from '@millrace/rpc'

const ROUNDS = 5
const TICK_MS = 5

async function serve(): Promise<void> {
  const take = () => Promise.resolve()
  const server = new AvroRpcServer({
    host: '127.0.0.1',
    port: 0,
    handler: { append: take, appendBatch: take },
  })
  const { port } = await server.listen()
  process.send?.(port)
  process.on('disconnect', () => process.exit())
}

function record(i: number): LogRecord {
  return {
    timestampMs: Date.now(),
    level: 20_000,
    levelName: 'info',
    loggerName: 'billing',
    text: `${i}${'x'.repeat(94)}`,
    attributes: { user: 'u-4711', attempt: 3, path: '/api/orders' },
  }
}

/** Calls `log` so many times and gives the CPU per call in microseconds. */
async function cost(log: (one: LogRecord) => void, rate: number, records: number): Promise<number> {
  const chunk = rate === 0 ? 100 : Math.max(1, Math.round((rate * TICK_MS) / 1_000))
  const before = process.cpuUsage()
  for (let i = 0; i < records; ) {
    const end = Math.min(records, i + chunk)
    for (; i < end; i += 1) log(record(i))
    await new Promise<void>((resolve) => {
      if (rate === 0) setImmediate(resolve)
      else setTimeout(resolve, TICK_MS)
    })
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / records
}

async function measure(): Promise<void> {
  const rate = Number(process.argv[2] ?? 0)
  const records = Number(process.argv[3] ?? 100_000)
  const child = fork(fileURLToPath(import.meta.url), ['serve'])
  const [port] = (await once(child, 'message')) as [number]
  const rounds: { empty: number; appender: number }[] = []
  const delay = monitorEventLoopDelay({ resolution: 1 })
  let state: ReturnType<Appender['state']> | undefined
  for (let round = 0; round < ROUNDS; round += 1) {
    let sink = 0
    const empty = await cost((one) => (sink += one.level), rate, records)
    const appender = new Appender({ hosts: [`127.0.0.1:${port}`] }, { loggerName: 'bench' })
    delay.enable()
    const before = process.cpuUsage()
    const own = await cost((one) => appender.append(one), rate, records)
    await appender.flush()
    delay.disable()
    const { user, system } = process.cpuUsage(before)
    rounds.push({ empty, appender: Math.max(own, (user + system) / records) })
    state = appender.state()
    await appender.close()
  }
  child.disconnect()
  const extra = rounds.map((one) => one.appender - one.empty).sort((a, b) => a - b)
  console.log(
    JSON.stringify(
      {
        node: process.version,
        recordsPerSecond: rate || 'as fast as it can',
        extraCpuMicrosPerRecord: extra.map((one) => Number(one.toFixed(2))),
        eventLoopDelayP99Ms: delay.percentile(99) / 1e6,
        dropped: state?.dropped.overflow,
        delivered: state?.delivered,
        calls: state?.rpc.ok,
      },
      null,
      2,
    ),
  )
}

if (process.argv[2] === 'serve') await serve()
else await measure()
