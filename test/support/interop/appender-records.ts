/** What the Java programs log through Flume's appenders, logged through ours, and both in comparable form. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { avro, type MillraceAppenderConfig } from '@millrace/log4js'
import { mockReceiver, type ReceivedEvent } from '@millrace/testkit/receiver'
import avsc from 'avsc'
import log4js from 'log4js'
import { repository } from '../repository.js'

export const GOLDEN = ['log4j1-text', 'log4j1-records', 'log4j1-records-url', 'log4j2'] as const
export type GoldenName = (typeof GOLDEN)[number]

export interface ComparableEvent {
  readonly headers: Readonly<Record<string, string>>
  /** Text; base64 where it is none; a digest where it is long. */
  readonly body: string
}

export const SCHEMA_URL = 'http://127.0.0.1/schema.avsc'
/** As Java's Avro writes it. */
const READING =
  '{"type":"record","name":"Reading","namespace":"test","fields":[{"name":"sensor","type":"string"},{"name":"value","type":"double"}]}'
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
/** The same each run in Java's programs; another each run elsewhere. */
const VARYING = ['flume.client.log4j.timestamp', 'timeStamp', 'flume.client.log4j.address', 'guId']

export function goldenFile(name: GoldenName): string {
  return join(repository, 'test', 'golden', 'appenders', `${name}.json`)
}

export function golden(name: GoldenName): ComparableEvent[] {
  return JSON.parse(readFileSync(goldenFile(name), 'utf8')) as ComparableEvent[]
}

export function comparable({ headers, body, text }: ReceivedEvent): ComparableEvent {
  const entries = Object.entries(headers).map(([key, value]) => [key, shown(key, value)] as const)
  const isText = Buffer.from(text).equals(body)
  const plain = isText ? text : `base64:${body.toString('base64')}`
  const digest = createHash('sha256').update(body).digest('hex')
  return {
    headers: Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    body: plain.length > 500 ? `sha256:${digest}` : plain,
  }
}

/** The kind of a value that differs from run to run. */
function shown(key: string, value: string): string {
  if (!VARYING.includes(key)) return value
  if (/^\d{13}$/.test(value)) return '<epoch milliseconds>'
  if (/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(value)) return '<uuid>'
  return /^[\d.]*$/.test(value) ? '<address>' : value
}

/** Logs with our appender what the Java program of that name logs; gives what arrived. */
export async function ownEvents(name: GoldenName): Promise<ComparableEvent[]> {
  const receiver = await mockReceiver()
  const options: MillraceAppenderConfig = {
    type: '@millrace/log4js',
    hosts: [receiver.address],
    ...(name === 'log4j2'
      ? {
          profile: 'log4j2',
          context: {},
          appendStack: false,
          layout: { type: 'pattern', pattern: '%x{m}', tokens: { m: text } },
        }
      : {
          profile: 'log4j1-strict',
          layout: { type: 'pattern', pattern: '%x{m}', tokens: { m: text } },
        }),
  }
  log4js.configure({
    appenders: { m: options as never },
    categories: { default: { appenders: ['m'], level: 'all' } },
  })
  if (name === 'log4j1-text') logTexts()
  else if (name === 'log4j2') logWithContext()
  else logRecords(name === 'log4j1-records-url' ? { url: SCHEMA_URL } : { schema: READING })
  await new Promise<unknown>((done) => {
    log4js.shutdown(done)
  })
  await receiver.close()
  return receiver.events.map(comparable)
}

/** The message without its exception, as Java's patterns have it. */
function text(event: { data: readonly unknown[] }): string {
  return String(event.data[0])
}

function logTexts(): void {
  const log = (category: string, value: unknown) => log4js.getLogger(category).info(value)
  for (const level of LEVELS) log4js.getLogger('db.pool')[level](`at ${level.toUpperCase()}`)
  log('größe.ø', 'ümlaut größe \ud83d\udca5 \uffff')
  log('empty', '')
  log('lines', 'first\nsecond\r\n\tthird\0')
  log('number', 42)
  for (const element of ['a', 'b', 3]) log('list', element)
  log('list', 'alone')
  for (let n = 0; n < 250; n += 1) log('list', `of many ${n}`)
  log4js.getLogger('failure').error('with a cause', new Error('broken'))
  log('large', 'x'.repeat(100_000))
}

function logRecords(schema: { schema?: string; url?: string }): void {
  const type = avsc.Type.forSchema(JSON.parse(READING))
  const reading = (sensor: string, value: number) => avro(type, { sensor, value }, schema)
  const logger = log4js.getLogger('records')
  logger.info(reading('r1', 1.5))
  logger.info([reading('r2', -2), reading('größe', 1e300)])
  logger.info('text behind a record')
  logger.info(reading('r3', 0))
}

function logWithContext(): void {
  const logger = log4js.getLogger('db.pool')
  for (const level of LEVELS) logger[level](`at ${level.toUpperCase()}`)
  logger.addContext('user', 'größe "quoted]\\')
  logger.addContext('session', 's1')
  logger.info('with context')
  logger.info('ümlaut \ud83d\udca5')
  logger.error('with a cause', new Error('broken'))
  logger.info('')
  logger.info('first\nsecond')
  logger.removeContext('session')
  for (let n = 0; n < 40; n += 1) logger.info(`event ${n}`)
}
