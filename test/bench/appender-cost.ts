/**
 * What a log call costs with each appender: processor time of the whole process (all threads, deferred
 * work included) per record, less that of the same logger with an empty destination.
 *
 *     node appender-cost.js [--records 200000] [--rounds 3] [--rate 20000]
 *
 * At full speed unless a rate is given. With a rate the growth of the event loop's delay is of interest;
 * the processor time is not: systems that count it by ticks count a burst at each tick several times.
 * The receiver is a process of its own that answers OK without looking inside. Each measurement runs in
 * a fresh process, after a warm-up that is not counted. Prints JSON.
 */
import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { states } from '@millrace/log4js'
import { createDestination } from '@millrace/pino'
import { MillraceTransport } from '@millrace/winston'
import log4js from 'log4js'
import { pino } from 'pino'
import winston from 'winston'
import TransportStream from 'winston-transport'
import { freePort } from './peers.js'

const here = dirname(fileURLToPath(import.meta.url))
const MESSAGE =
  'order 4711 was paid and leaves the warehouse with the next truck to the north '.padEnd(100, '.')
const FIELDS = { user: 'u-4711', attempt: 3, path: '/api/orders' }
const LOGGERS = ['winston', 'log4js', 'pino'] as const
const WARM_UP = 30_000
/** Below the queue's limit, so that nothing is dropped at full speed. */
const MAX_WAITING = 5_000

interface Subject {
  log(): void
  /** Records that still wait for delivery. */
  waiting(): number
  flush(): Promise<unknown>
}

interface Measurement {
  readonly cpuMicroseconds: number
  readonly delayP99Ms: number
}

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '200000' },
    rate: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '3' },
    subject: { type: 'string' },
    port: { type: 'string', default: '0' },
  },
})

const hosts = [`127.0.0.1:${values.port}`]
const subjects: Record<string, () => Subject> = {
  'winston empty': () =>
    winstonSubject(
      new TransportStream({
        log(_info: unknown, next: () => void) {
          next()
        },
      }),
    ),
  'winston appender': () => {
    const transport = new MillraceTransport({ hosts })
    return { ...winstonSubject(transport), ...waitFor(transport) }
  },
  'log4js empty': () => log4jsSubject({ type: { configure: () => () => {} } }),
  'log4js appender': () => {
    const subject = log4jsSubject({ type: '@millrace/log4js', hosts })
    return { ...subject, waiting: () => waitingOf(states()[0]), flush: closeLog4js }
  },
  'pino empty': () => pinoSubject({ write() {} }),
  'pino appender': () => {
    const destination = createDestination({ hosts })
    return { ...pinoSubject(destination), ...waitFor(destination) }
  },
}

function winstonSubject(transport: TransportStream): Subject {
  const logger = winston.createLogger({ transports: [transport] })
  return { log: () => logger.info(MESSAGE, FIELDS), ...nothingWaits }
}

function log4jsSubject(appender: log4js.CustomAppender): Subject {
  log4js.configure({
    appenders: { it: appender },
    categories: { default: { appenders: ['it'], level: 'info' } },
  })
  const logger = log4js.getLogger('shop.orders')
  return { log: () => logger.info(MESSAGE, FIELDS), ...nothingWaits }
}

function pinoSubject(destination: pino.DestinationStream): Subject {
  const logger = pino({ name: 'shop' }, destination)
  return { log: () => logger.info(FIELDS, MESSAGE), ...nothingWaits }
}

const nothingWaits = { waiting: () => 0, flush: () => Promise.resolve() }

type Shipping = Pick<MillraceTransport, 'state' | 'flush'>

function waitingOf(state: ReturnType<Shipping['state']> | undefined): number {
  if (state === undefined) return 0
  const dropped = Object.values(state.dropped).reduce((sum, count) => sum + count, 0)
  if (dropped > 0) throw new Error(`${dropped} records were dropped: the measurement is void`)
  return state.queued + state.inFlight
}

function waitFor(appender: Shipping): Pick<Subject, 'waiting' | 'flush'> {
  return {
    waiting: () => waitingOf(appender.state()),
    flush: () => appender.flush({ timeoutMs: 30_000 }),
  }
}

async function closeLog4js(): Promise<void> {
  const { flush } = await import('@millrace/log4js')
  await flush({ timeoutMs: 30_000 })
}

async function logAtFullSpeed(subject: Subject, records: number): Promise<void> {
  for (let done = 0; done < records; ) {
    for (const end = Math.min(records, done + 200); done < end; done += 1) subject.log()
    await new Promise((resolve) => setImmediate(resolve))
    // Asking costs something, too.
    if (done % 2_000 !== 0) continue
    while (subject.waiting() > MAX_WAITING) await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

async function logAtRate(subject: Subject, records: number, rate: number): Promise<void> {
  const start = performance.now()
  for (let done = 0; done < records; ) {
    const due = Math.min(records, Math.floor(((performance.now() - start) * rate) / 1_000))
    for (; done < due; done += 1) subject.log()
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

async function measure(name: string): Promise<Measurement> {
  const subject = subjects[name]?.()
  if (subject === undefined) throw new Error(`no subject ${name}`)
  const records = Number(values.records)
  await logAtFullSpeed(subject, WARM_UP)
  await subject.flush()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const before = process.cpuUsage()
  if (Number(values.rate) > 0) await logAtRate(subject, records, Number(values.rate))
  else await logAtFullSpeed(subject, records)
  await subject.flush()
  const { user, system } = process.cpuUsage(before)
  delay.disable()
  subject.waiting()
  return {
    cpuMicroseconds: user + system,
    delayP99Ms: delay.percentile(99) / 1e6,
  }
}

async function measureApart(name: string, port: number): Promise<Measurement> {
  const args = [fileURLToPath(import.meta.url), '--subject', name, '--port', String(port)]
  args.push('--records', values.records, '--rate', values.rate)
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as Measurement
}

const median = (numbers: number[]): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN

async function compare(logger: string, port: number): Promise<object> {
  const records = Number(values.records)
  const costs: number[] = []
  const empty: number[] = []
  const delays: number[] = []
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const bare = await measureApart(`${logger} empty`, port)
    const full = await measureApart(`${logger} appender`, port)
    empty.push(bare.cpuMicroseconds / records)
    costs.push((full.cpuMicroseconds - bare.cpuMicroseconds) / records)
    delays.push(full.delayP99Ms - bare.delayP99Ms)
  }
  const round2 = (value: number): number => Math.round(value * 100) / 100
  return {
    logger,
    emptyMicroseconds: round2(median(empty)),
    appenderMicroseconds: round2(median(costs)),
    delayP99GrowthMs: round2(median(delays)),
  }
}

if (values.subject !== undefined) {
  console.log(JSON.stringify(await measure(values.subject)))
  process.exit()
}
const port = await freePort()
const receiver = fork(join(here, 'bare-server.js'), [String(port)], {
  stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
})
if (receiver.stdout !== null) await once(receiver.stdout, 'data')
const loggers: object[] = []
for (const logger of LOGGERS) loggers.push(await compare(logger, port))
receiver.kill()
console.log(
  JSON.stringify(
    {
      node: process.version,
      records: Number(values.records),
      rate: Number(values.rate) > 0 ? `${values.rate}/s` : 'full speed',
      unit: 'microseconds of processor time per record',
      loggers,
    },
    null,
    2,
  ),
)
