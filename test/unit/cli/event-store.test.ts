import assert from 'node:assert/strict'
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Clock, systemClock } from '@millrace/runtime'
import { EventStore, STORE_LIMITS, type StoreLimits } from 'millrace/internal/receive/event-store'
import { temporaryDirectory } from '../../support/temp-directory.js'

const DAY_MS = 24 * 3_600_000
const stores: EventStore[] = []

function openStore(
  directory: string,
  limits: Partial<StoreLimits> = {},
  clock: Clock = systemClock,
) {
  const store = new EventStore({ directory, clock, limits: { ...STORE_LIMITS, ...limits } })
  stores.push(store)
  return store
}

const list = (directory: string) => readdirSync(directory).sort()
const readAll = (directory: string) =>
  list(directory).map((name) => readFileSync(join(directory, name), 'utf8'))
const ownName = (day: number, tail = '00000000') => `events-202611${day}T000000000Z-${tail}.ndjson`

describe('EventStore', () => {
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close()
  })

  it('makes its directory and appends lines', async () => {
    const directory = join(temporaryDirectory(), 'a', 'b')
    const store = openStore(directory)
    await store.open()
    await store.append(['1\n', '2\n'])
    await store.append(['3\n'])
    assert.deepEqual(readAll(directory), ['1\n2\n3\n'])
  })

  it('fails to open where it cannot write', async () => {
    const file = join(temporaryDirectory(), 'file')
    writeFileSync(file, '')
    await assert.rejects(openStore(join(file, 'x')).open(), { code: 'ENOTDIR' })
  })

  it('rolls before a file grows beyond its size', async () => {
    const directory = temporaryDirectory()
    const store = openStore(directory, { maxFileBytes: 8 })
    for (const line of ['aaa\n', 'bbb\n', 'ccc\n']) await store.append([line])
    assert.deepEqual(readAll(directory).sort(), ['aaa\nbbb\n', 'ccc\n'])
  })

  it('gives lines that are more than a file may hold a file of their own', async () => {
    const directory = temporaryDirectory()
    const store = openStore(directory, { maxFileBytes: 8 })
    for (const line of ['a\n', 'bbbbbbbbbbbb\n', 'c\n']) await store.append([line])
    assert.deepEqual(readAll(directory).sort(), ['a\n', 'bbbbbbbbbbbb\n', 'c\n'])
  })

  it('rolls a file that has been open for a day', async () => {
    const directory = temporaryDirectory()
    const time = { ms: Date.now() }
    const store = openStore(directory, {}, { ...systemClock, now: () => time.ms })
    await store.append(['a\n'])
    time.ms += DAY_MS
    await store.append(['b\n'])
    assert.deepEqual(readAll(directory).sort(), ['a\n', 'b\n'])
  })

  it('begins a new file after a crash left a torn line', async () => {
    const directory = temporaryDirectory()
    const before = openStore(directory)
    await before.append(['{"a":1}\n'])
    appendFileSync(before.currentFile ?? '', '{"a":')
    const store = openStore(directory)
    await store.append(['{"a":2}\n'])
    assert.deepEqual(readAll(directory).sort(), ['{"a":1}\n{"a":', '{"a":2}\n'])
  })

  it('leaves no file behind when nothing came', async () => {
    const directory = temporaryDirectory()
    const store = openStore(directory)
    await store.open()
    await store.close()
    await store.close()
    assert.deepEqual(list(directory), [])
  })

  it('removes the oldest files until one more fits', async () => {
    const directory = temporaryDirectory()
    for (const day of [20, 21, 22]) writeFileSync(join(directory, ownName(day)), 'x'.repeat(10))
    const store = openStore(directory, { maxFileBytes: 10, maxTotalBytes: 30 })
    await store.append(['y\n'])
    assert.deepEqual(list(directory).slice(0, -1), [ownName(21), ownName(22)])
  })

  it('removes files older than a week, and only its own', async () => {
    const directory = temporaryDirectory()
    const old = new Date(Date.now() - 8 * DAY_MS)
    const foreign = ['events.ndjson', 'notes.txt', `${ownName(10)}.bak`]
    for (const name of [ownName(10), ...foreign]) {
      writeFileSync(join(directory, name), 'x')
      utimesSync(join(directory, name), old, old)
    }
    const store = openStore(directory)
    await store.append(['y\n'])
    assert.deepEqual(
      list(directory).filter(
        (name) => !name.includes(String(new Date().getFullYear())) || foreign.includes(name),
      ),
      foreign.toSorted(),
    )
    assert.ok(!list(directory).includes(ownName(10)))
  })

  it('never removes the file it writes', async () => {
    const directory = temporaryDirectory()
    const store = openStore(directory, { maxFileBytes: 1, maxTotalBytes: 1 })
    await store.append(['aaaa\n'])
    await store.prune()
    assert.deepEqual(readAll(directory), ['aaaa\n'])
  })

  it('goes on in a new file when somebody removed the folder', async () => {
    const directory = join(temporaryDirectory(), 'kept')
    const store = openStore(directory)
    await store.append(['a\n'])
    rmSync(directory, { recursive: true })
    await store.append(['b\n'])
    assert.deepEqual(readAll(directory), ['b\n'])
  })
})
