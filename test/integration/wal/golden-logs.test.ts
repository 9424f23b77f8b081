import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Log, type ReadBatch } from '@millrace/wal'
import { repository } from '../../support/repository.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

const golden = join(repository, 'test', 'golden')
const versions = readdirSync(golden).filter((name) => name.startsWith('wal-v'))

interface Expected {
  readonly wasClosed: boolean
  readonly consumers: Readonly<Record<string, readonly object[]>>
}

/** The log as it was, in a directory of its own. */
function unpack(from: string): string {
  const to = temporaryDirectory()
  for (const name of readdirSync(from, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.gz')) continue
    const file = join(to, dirname(name), basename(name, '.gz'))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, gunzipSync(readFileSync(join(from, name))))
  }
  return to
}

async function readAll(log: Log, name: string): Promise<object[]> {
  const found: object[] = []
  for (let reads: ReadBatch[]; ; ) {
    reads = await log.consumer(name).read({ maxBytes: 50_000 })
    if (reads.length === 0) return found
    for (const { firstSequence, batch } of reads) {
      const sha256 = createHash('sha256').update(batch.bytes).digest('hex')
      found.push({ firstSequence, events: batch.size, sha256 })
    }
  }
}

describe('logs written by earlier versions', () => {
  it('are there for each version of the format', () => {
    assert.ok(versions.includes('wal-v1'))
  })

  for (const version of versions) {
    for (const name of readdirSync(join(golden, version))) {
      it(`give all their events: ${version}/${name}`, async () => {
        const from = join(golden, version, name)
        const expected = JSON.parse(readFileSync(join(from, 'expected.json'), 'utf8')) as Expected
        for (const isSync of [false, true]) {
          const directory = unpack(from)
          const options = {
            checkpointDirectory: join(directory, 'checkpoint'),
            dataDirectories: [join(directory, 'data1'), join(directory, 'data2')],
            consumers: Object.keys(expected.consumers),
            segmentBytes: 65_536,
          }
          const log = isSync ? Log.openSync(options) : await Log.open(options)
          assert.deepEqual(log.recovery.findings, [])
          assert.equal(log.recovery.wasClosed, expected.wasClosed)
          for (const [consumer, events] of Object.entries(expected.consumers)) {
            assert.ok(events.length > 50)
            assert.deepEqual(await readAll(log, consumer), events)
          }
          assert.equal(log.stats().lostEvents, 0)
          await log.close()
        }
      })
    }
  }
})
