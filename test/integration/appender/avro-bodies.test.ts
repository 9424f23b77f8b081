import assert from 'node:assert/strict'
import { createDestination, avro as pinoAvro } from '@millrace/pino'
import { avro as log4jsAvro } from '@millrace/log4js'
import { type MockReceiver, mockReceiver, type ReceivedEvent } from '@millrace/testkit/receiver'
import { avro, avroList, MillraceTransport } from '@millrace/winston'
import avsc from 'avsc'
import log4js from 'log4js'
import { pino } from 'pino'
import winston from 'winston'
import { runScript } from '../../support/run-script.js'

const SCHEMA: avsc.schema.RecordType = {
  type: 'record',
  name: 'Reading',
  namespace: 'test',
  fields: [
    { name: 'sensor', type: 'string' },
    { name: 'value', type: 'double' },
  ],
}
const reading = avsc.Type.forSchema(SCHEMA)

describe('values of an Avro schema as bodies', () => {
  let receiver: MockReceiver
  before(async () => {
    receiver = await mockReceiver()
  })
  after(() => receiver.close())
  beforeEach(() => receiver.clear())

  const options = () => ({ hosts: [receiver.address] })

  /** The datum of an event, read with the schema that its own header tells. */
  function datum({ headers, body }: ReceivedEvent): unknown {
    const schema = headers['flume.avro.schema.literal'] ?? ''
    const value: unknown = avsc.Type.forSchema(JSON.parse(schema)).fromBuffer(body)
    return JSON.parse(JSON.stringify(value))
  }

  function isAvroEvent({ headers }: ReceivedEvent): void {
    assert.equal(headers['millrace.body.format'], 'avro')
    assert.equal('flume.client.log4j.message.encoding' in headers, false)
  }

  it('go through every format of winston, and children', async () => {
    const { combine, errors, splat, timestamp, metadata, json, printf } = winston.format
    const transport = new MillraceTransport({ ...options(), format: winston.format.simple() })
    const logger = winston.createLogger({
      transports: [transport],
      format: combine(
        errors({ stack: true }),
        splat(),
        timestamp(),
        metadata(),
        json(),
        printf(() => 'x'),
      ),
    })
    logger.warn('ignored', avro(reading, { sensor: 'a', value: 1.5 }))
    logger.child({ service: 's' }).info(
      avroList(reading, [
        { sensor: 'b', value: 2 },
        { sensor: 'c', value: 3 },
      ]) as never,
    )
    await transport.close()
    assert.deepEqual(receiver.events.map(datum), [
      { sensor: 'a', value: 1.5 },
      { sensor: 'b', value: 2 },
      { sensor: 'c', value: 3 },
    ])
    receiver.events.forEach(isAvroEvent)
    assert.equal(receiver.events[0]?.headers['flume.client.log4j.log.level'], '30000')
  })

  it('of a list that log4js gets are events of their own, a text among them too', async () => {
    log4js.configure({
      appenders: { m: { type: '@millrace/log4js', ...options() } },
      categories: { default: { appenders: ['m'], level: 'info' } },
    })
    const one = log4jsAvro(reading, { sensor: 'r1', value: 1.5 })
    const two = log4jsAvro(reading, { sensor: 'größe', value: 1e300 })
    log4js.getLogger('records').info(one)
    log4js.getLogger('records').info([two, 'text behind it'])
    log4js.getLogger('records').info('text alone', ['a list'])
    await new Promise<unknown>((resolve) => {
      log4js.shutdown(resolve)
    })
    const [first, second, text, alone] = receiver.events
    assert.ok(first && second && text && alone)
    assert.deepEqual(
      [datum(first), datum(second)],
      [
        { sensor: 'r1', value: 1.5 },
        { sensor: 'größe', value: 1e300 },
      ],
    )
    assert.equal(text.text, 'text behind it')
    assert.equal(text.headers['flume.client.log4j.message.encoding'], 'UTF8')
    assert.equal('flume.avro.schema.literal' in text.headers, false)
    assert.match(alone.text, /^text alone \[ 'a list' \]$/)
  })

  it('are taken by a pino destination as the record or under avroKey', async () => {
    const destination = createDestination({ ...options(), avroKey: 'reading' })
    const logger = pino({ name: 'app' }, destination)
    const value = { sensor: 'p', value: -1 }
    const body = pinoAvro(reading, value)
    value.sensor = 'changed'
    logger.info(body, 'message')
    logger.child({ a: 1 }).error({ reading: body })
    logger.info({ other: body }, 'stays text')
    await destination.close()
    const [first, second, third] = receiver.events
    assert.ok(first && second && third)
    assert.deepEqual(
      [datum(first), datum(second)],
      [
        { sensor: 'p', value: -1 },
        { sensor: 'p', value: -1 },
      ],
    )
    assert.equal(third.text, 'stays text')
  })

  it('reach pino’s worker under avroKey, and under no other name', async () => {
    const { code, stderr } = await runScript(`
      import avsc from 'avsc'
      import { pino } from 'pino'
      import { avro, avroList } from '@millrace/pino'
      const type = avsc.Type.forSchema(${JSON.stringify(SCHEMA)})
      const logger = pino({ transport: { target: '@millrace/pino',
        options: { hosts: ['${receiver.address}'], avroKey: 'avro' } } })
      logger.info({ avro: avro(type, { sensor: 'w', value: 7 }) })
      logger.info({ avro: avroList(type, [{ sensor: 'x', value: 8 }, { sensor: 'y', value: 9 }]) })
      logger.info({ body: avro(type, { sensor: 'w', value: 7 }) }, 'forged')`)
    assert.equal(code, 0, stderr)
    const [first, second, third, last] = receiver.events
    assert.ok(first && second && third && last)
    assert.deepEqual([first, second, third].map(datum), [
      { sensor: 'w', value: 7 },
      { sensor: 'x', value: 8 },
      { sensor: 'y', value: 9 },
    ])
    isAvroEvent(first)
    assert.equal(last.text, 'forged')
  })

  it('have the address of their schema in place of it, and nothing else with log4j1-strict', async () => {
    const transport = new MillraceTransport({
      ...options(),
      profile: 'log4j1-strict',
      address: '10.0.0.7',
    })
    const logger = winston.createLogger({ transports: [transport] })
    const url = 'http://127.0.0.1/schema.avsc'
    logger.info('', avro(reading, { sensor: 'a', value: 1 }, { url }))
    logger.info('', avro(reading, { sensor: 'a', value: 1 }, { schema: JSON.stringify(SCHEMA) }))
    await transport.close()
    assert.deepEqual(
      receiver.events.map(({ headers }) => ({ ...headers, 'flume.client.log4j.timestamp': '' })),
      [
        { 'flume.avro.schema.url': url },
        { 'flume.avro.schema.literal': JSON.stringify(SCHEMA) },
      ].map((schema) => ({
        ...schema,
        'flume.client.log4j.address': '10.0.0.7',
        'flume.client.log4j.log.level': '20000',
        'flume.client.log4j.logger.name': 'winston',
        'flume.client.log4j.timestamp': '',
      })),
    )
  })

  it('that do not fit their schema become a text that says so', async () => {
    const transport = new MillraceTransport({ ...options(), format: winston.format.simple() })
    const logger = winston.createLogger({ transports: [transport] })
    logger.info('level of the tank', avro(reading, { sensor: 5 }))
    logger.info('no schema', avro({ toBuffer: () => Buffer.from('x') }, 1))
    await transport.close()
    const [first, second] = receiver.events
    assert.equal(first?.text, 'info: level of the tank')
    assert.match(
      first?.headers['millrace.encodeError'] ?? '',
      /not a value of its Avro schema: invalid/,
    )
    assert.equal(first?.headers['flume.client.log4j.message.encoding'], 'UTF8')
    assert.match(second?.headers['millrace.encodeError'] ?? '', /the schema is missing/)
  })
})
