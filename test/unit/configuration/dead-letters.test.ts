import assert from 'node:assert/strict'
import { load, shortForm } from '../../support/configuration/loading.js'

const GOOD = `a1.sources = r1
a1.channels = c1 dead
a1.sinks = k1 k2
a1.sources.r1.type = line_in
a1.sources.r1.channels = c1
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = 4141
a1.channels.c1.type = tank
a1.channels.dead.type = tank
a1.sinks.k1.type = line_out
a1.sinks.k1.channel = c1
a1.sinks.k1.sink.directory = /var/log
a1.sinks.k2.type = line_out
a1.sinks.k2.channel = c1
a1.sinks.k2.sink.directory = /var/log
`

async function check(more: string) {
  const { findings, configuration } = await load(`${GOOD}${more}\n`)
  return {
    findings: findings.map(shortForm),
    messages: findings.map(({ message }) => message).join('\n'),
    channels: configuration?.sinks.map(({ deadLetterChannel }) => deadLetterChannel),
  }
}

describe('deadLetterChannel', () => {
  it('of the agent is that of each sink, unless the sink has its own', async () => {
    assert.deepEqual((await check('a1.deadLetterChannel = dead')).channels, ['dead', 'dead'])
    const { findings, channels } = await check(
      'a1.channels = c1 dead own\na1.channels.own.type = tank\na1.deadLetterChannel = dead\na1.sinks.k1.deadLetterChannel = own',
    )
    assert.deepEqual(channels, ['own', 'dead'])
    assert.deepEqual(findings, ['16 warning DUPLICATE a1.channels'])
  })

  it('makes a channel that no source writes to, and no sink takes from, a used one', async () => {
    assert.deepEqual((await check('')).findings, ['9 warning UNUSED a1.channels.dead'])
    assert.deepEqual((await check('a1.sinks.k2.deadLetterChannel = dead')).findings, [])
  })

  it('of the agent does not mean the sinks that take from it', async () => {
    const { channels } = await check('a1.deadLetterChannel = dead\na1.sinks.k2.channel = dead')
    assert.deepEqual(channels, ['dead', undefined])
  })

  it('must be a channel of the agent', async () => {
    const { findings, messages } = await check('a1.sinks.k1.deadLetterChannel = daed')
    assert.deepEqual(findings, [
      '9 warning UNUSED a1.channels.dead',
      '16 error UNKNOWN_NAME a1.sinks.k1.deadLetterChannel',
    ])
    assert.match(messages, /did you mean "dead"/)
    assert.deepEqual((await check('a1.deadLetterChannel = x')).findings.slice(1), [
      '16 error UNKNOWN_NAME a1.deadLetterChannel',
    ])
    assert.match((await check('a1.deadLetterChannel = c1 dead')).messages, /one channel only/)
  })

  it('must not be the channel that the sink takes from', async () => {
    const { findings } = await check('a1.sinks.k1.deadLetterChannel = c1')
    assert.ok(findings.includes('16 error INVALID a1.sinks.k1.deadLetterChannel'))
  })

  it('must not lead back over other sinks', async () => {
    const { findings, messages } = await check(
      'a1.deadLetterChannel = dead\na1.sinks.k2.channel = dead\na1.sinks.k2.deadLetterChannel = c1',
    )
    assert.equal(findings.filter((each) => each.includes('error')).length, 1)
    assert.match(messages, /round in a circle: c1 → dead → c1/)
  })

  it('that is empty counts as not set', async () => {
    const { findings, channels } = await check('a1.sinks.k1.deadLetterChannel =')
    assert.deepEqual(channels, [undefined, undefined])
    assert.ok(findings.includes('16 warning NO_EFFECT a1.sinks.k1.deadLetterChannel'))
  })

  it('is found when it is misspelt, as a key of the agent and of a sink', async () => {
    assert.match(
      (await check('a1.deadLetterChanel = dead')).messages,
      /mean "a1.deadLetterChannel"/,
    )
    assert.match(
      (await check('a1.sinks.k1.deadleterChannel = dead')).messages,
      /mean "a1.sinks.k1.deadLetterChannel"/,
    )
    assert.deepEqual((await check('a1.deadLetterChannel.x = dead')).findings.slice(1), [
      '16 error UNKNOWN_PROPERTY a1.deadLetterChannel.x',
    ])
  })
})
