import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Log } from '@millrace/wal'
import { repository } from '../../support/repository.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

const page = readFileSync(join(repository, 'docs/formats/wal.md'), 'utf8')

/** The bytes of a file as the page shows them: lines of an address and up to sixteen octets. */
function dump(file: string, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (const [, lines = ''] of page.matchAll(
    new RegExp(`\`\`\`hex ${file}\n([^\`]*)\`\`\``, 'g'),
  )) {
    for (const line of lines.trim().split('\n')) {
      const [address = '', ...octets] = line.split(/ +/)
      Buffer.from(octets.join(''), 'hex').copy(bytes, Number.parseInt(address, 16))
    }
  }
  return bytes
}

/** Writes the files of the page's example. */
function writeExample(directory: string): void {
  const segment = dump('segment', 65_536)
  segment.copy(segment, 4096, 0, 128)
  mkdirSync(join(directory, 'data'))
  mkdirSync(join(directory, 'checkpoint'))
  writeFileSync(join(directory, 'data/segment-0000000001.wal'), segment)
  writeFileSync(join(directory, 'data/directory.wal'), dump('directory', 64))
  writeFileSync(join(directory, 'checkpoint/cursors.wal'), dump('checkpoint', 524_288))
}

describe('the page about the log’s format', () => {
  it('shows a log that opens, with the events that it names', async () => {
    const directory = temporaryDirectory()
    writeExample(directory)
    const log = await Log.open({
      checkpointDirectory: join(directory, 'checkpoint'),
      dataDirectories: [join(directory, 'data')],
      consumers: ['sinks'],
      segmentBytes: 65_536,
    })
    assert.deepEqual(log.recovery, {
      isNew: false,
      wasClosed: true,
      segments: 1,
      backlogEvents: 2,
      findings: [],
    })
    const read = await log.consumer('sinks').read({ maxBytes: 1000 })
    const bodies = read.flatMap(({ batch }) => [...batch].map(({ body }) => body.toString()))
    assert.deepEqual(bodies, ['two', 'three'])
    assert.deepEqual(
      read.map(({ firstSequence }) => firstSequence),
      [2, 3],
    )
    await log.close()
  })
})
