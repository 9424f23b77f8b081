// node test/dist/bench/golden-log.js DIRECTORY: writes the logs of one format version that tests read for ever, each
// file compressed, and beside them what a reader must find. Run once for each version of the format.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { EventBatch } from '@millrace/event'
import { FakeClock, SimulatedDisk } from '@millrace/testkit'
import { Log, type LogOptions, type ReadBatch } from '@millrace/wal'
import { Choice } from '../support/wal/choice.js'

const [target] = process.argv.slice(2)
if (target === undefined) {
  console.error('usage: golden-log.js DIRECTORY')
  process.exit(2)
}

function optionsOn(disk: SimulatedDisk, seed: number): LogOptions {
  const random = new Choice(seed)
  return {
    checkpointDirectory: '/checkpoint',
    dataDirectories: ['/data1', '/data2'],
    consumers: ['sinks', 'audit'],
    segmentBytes: 65_536,
    clock: new FakeClock(),
    randomBytes: (length) => Buffer.from(Array.from({ length }, () => random.int(0, 255))),
    disk,
  }
}

async function write(name: string, isClosed: boolean): Promise<void> {
  const disk = new SimulatedDisk(1)
  const choice = new Choice(name.length)
  const log = await Log.open(optionsOn(disk, name.length))
  const put: object[] = []
  const append = (batch: EventBatch) => {
    put.push(summaryOf({ firstSequence: log.stats().nextSequence, batch, appendedAtMs: 0 }))
    return log.append(batch)
  }
  for (let count = 0; log.stats().segments < 4; count += 1) {
    const events = Array.from({ length: choice.int(1, 9) }, (_, index) => ({
      headers: index % 2 === 0 ? { host: `web-${count}`, größe: String(index) } : {},
      body: `${count}.${index} ${'x'.repeat(choice.int(0, 900))}`,
    }))
    await append(EventBatch.of(events))
  }
  const sinks = log.consumer('sinks')
  const reads = await sinks.read({ maxBytes: 40_000 })
  // In an order of their own, and of one batch only the middle.
  for (const [index, { firstSequence, batch }] of reads.toReversed().entries()) {
    if (index % 3 === 0) continue
    const isPart = index % 5 === 0 && batch.size > 2
    const to = firstSequence + batch.size
    await sinks.acknowledge(firstSequence + (isPart ? 1 : 0), isPart ? to - 1 : to)
  }
  await append(EventBatch.of([{ body: 'the last one' }]))
  if (isClosed) await log.close()
  const left = disk.clone()
  const files = left.files().filter((path) => path.endsWith('.wal'))
  for (const path of files) save(`${name}${path}.gz`, gzipSync(left.bytes(path), { level: 9 }))
  const expected = await expectedOf(left)
  assert.deepEqual(expected.consumers['audit'], put)
  save(`${name}/expected.json`, `${JSON.stringify(expected)}\n`)
}

function summaryOf({ firstSequence, batch }: ReadBatch): object {
  const sha256 = createHash('sha256').update(batch.bytes).digest('hex')
  return { firstSequence, events: batch.size, sha256 }
}

async function expectedOf(disk: SimulatedDisk) {
  const log = await Log.open(optionsOn(disk, 1))
  const consumers: Record<string, object[]> = {}
  for (const name of ['sinks', 'audit']) {
    const found: object[] = []
    for (let reads: ReadBatch[]; ; ) {
      reads = await log.consumer(name).read({ maxBytes: 1_000_000 })
      if (reads.length === 0) break
      found.push(...reads.map(summaryOf))
    }
    consumers[name] = found
  }
  return { wasClosed: log.recovery.wasClosed, consumers }
}

function save(path: string, bytes: Buffer | string): void {
  const file = join(target as string, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, bytes)
}

await write('closed', true)
await write('killed', false)
