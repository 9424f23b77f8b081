import assert from 'node:assert/strict'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { builtinComponents } from '@millrace/agent-core'
import { fileChannel } from '@millrace/agent-core/internal/channels/file'
import { load, shortForm } from '../../support/configuration/loading.js'

const AROUND = `a1.sources = r1
a1.sinks = k1 k2
a1.sources.r1.type = seq
a1.sinks.k1.type = null
a1.sinks.k2.type = null
`

/** What is found in the settings of channels c1 and c2, each with directories of its own unless told otherwise. */
async function found(c1: Record<string, string>, c2?: Record<string, string>): Promise<string[]> {
  const names = c2 ? ['c1', 'c2'] : ['c1']
  const lines = [AROUND, `a1.channels = ${names.join(' ')}`]
  lines.push(`a1.sources.r1.channels = ${names.join(' ')}`)
  lines.push('a1.sinks.k1.channel = c1', `a1.sinks.k2.channel = ${names.at(-1)}`)
  for (const [index, settings] of [c1, c2 ?? {}].slice(0, names.length).entries()) {
    for (const [key, value] of Object.entries({ type: 'file', ...settings })) {
      lines.push(`a1.channels.${names[index]}.${key} = ${value}`)
    }
  }
  const { findings } = await load(lines.join('\n'), { components: builtinComponents })
  return findings.map(
    (finding) =>
      `${shortForm(finding).replace(/^\d+ /, '').replace('a1.channels.', '')}: ${finding.message}`,
  )
}

describe('the configuration of a file channel', () => {
  it('may name nothing but the type', async () => {
    assert.deepEqual(await found({}), [])
  })

  it("has Flume's directories in the home directory", () => {
    const defaults = Object.fromEntries(
      Object.entries(fileChannel.options).map(([name, spec]) => [name, spec.fallback]),
    )
    const options = defaults as Parameters<NonNullable<typeof fileChannel.directories>>[0]
    const under = (name: string) => join(homedir(), '.flume', 'file-channel', name)
    assert.deepEqual(fileChannel.directories?.(options), [
      { key: 'checkpointDir', path: under('checkpoint') },
      { key: 'dataDirs', path: under('data') },
    ])
  })

  it('must not share a directory with another channel, default paths included', async () => {
    const shared = /^error INVALID c2\.\w+: .* belongs to channel c1 already; give each channel/
    const defaults = await found({}, {})
    assert.equal(defaults.length, 2)
    for (const line of defaults) assert.match(line, shared)
    const one = await found(
      { checkpointDir: '/a/c', dataDirs: '/a/d,/a/e' },
      { checkpointDir: '/b/c', dataDirs: '/b/d, /a/../a/e/' },
    )
    assert.equal(one.length, 1)
    assert.match(one[0] ?? '', /^error INVALID c2\.dataDirs: \/a\/e belongs to channel c1/)
    assert.deepEqual(await found({}, { checkpointDir: '/b/c', dataDirs: '/b/d' }), [])
  })

  it('must not name one directory twice', async () => {
    assert.deepEqual(await found({ dataDirs: '/d,/e,/d/' }), [
      'error INVALID c1.dataDirs: names /d twice',
    ])
    assert.deepEqual(await found({ checkpointDir: '/d', dataDirs: '/e,/d' }), [
      'error INVALID c1.checkpointDir: /d is one of dataDirs too',
    ])
    assert.deepEqual(await found({ dataDirs: ',' }), [
      'error INVALID c1.dataDirs: names no directory',
    ])
  })

  it('must not have a transactionCapacity above its capacity', async () => {
    assert.deepEqual(await found({ capacity: '100' }), [
      'error INVALID c1.transactionCapacity: 10000 is more than the capacity of 100',
    ])
  })

  it('adjusts what Flume adjusts, and says so', async () => {
    assert.deepEqual(
      await found({
        minimumRequiredSpace: '5',
        maxFileSize: '2146435071',
        capacity: '0',
        checkpointInterval: '0',
      }),
      [
        'warning ADJUSTED c1.minimumRequiredSpace: 5 is below the least value; 1048576 is used, as in Flume',
        'warning ADJUSTED c1.maxFileSize: 2146435071 is above the largest value; 1623195647 is used, as in Flume',
        'warning ADJUSTED c1.capacity: "0" is below the least value; 1000000 is used, as in Flume',
        'warning ADJUSTED c1.checkpointInterval: "0" is below the least value; 30000 is used, as in Flume',
      ],
    )
  })

  it("says which of Flume's keys have no effect", async () => {
    const keys = {
      useDualCheckpoints: 'true',
      backupCheckpointDir: '/backup',
      compressBackupCheckpoint: 'true',
      checkpointOnClose: 'false',
      'use-log-replay-v1': 'true',
      'use-fast-replay': 'true',
    }
    const lines = await found(keys)
    assert.deepEqual(
      lines.map((line) => line.split(':')[0]),
      Object.keys(keys).map((key) => `warning NO_EFFECT c1.${key}`),
    )
  })

  it('refuses encryption by name', async () => {
    const keys = {
      'encryption.activeKey': 'k1',
      'encryption.cipherProvider': 'AESCTRNOPADDING',
      'encryption.keyProvider': 'JCEKSFILE',
      'encryption.keyProvider.keyStoreFile': '/keys',
      'encryption.keyProvider.keyStorePasswordFile': '/password',
      'encryption.keyProvider.keys': 'k1',
      'encryption.keyProvider.keys.k1.passwordFile': '/k1',
    }
    const lines = await found(keys)
    assert.deepEqual(
      lines.map((line) => line.split(':')[0]),
      Object.keys(keys).map((key) => `error UNSUPPORTED c1.${key}`),
    )
  })
})
