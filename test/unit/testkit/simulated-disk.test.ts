import assert from 'node:assert/strict'
import { SECTOR_BYTES, SimulatedDisk } from '@millrace/testkit'
import type { DiskFile } from '@millrace/wal'

const SEEDS = Array.from({ length: 60 }, (_, index) => index + 1)
const text = (value: string) => [Buffer.from(value)]
const filled = (byte: number, length = SECTOR_BYTES) => Buffer.alloc(length, byte)

/** A disk with a durable file `/d/f` of `bytes`, opened for writing. */
function withFile(bytes: Buffer): { disk: SimulatedDisk; file: DiskFile } {
  const disk = new SimulatedDisk()
  disk.put('/d/f', bytes)
  return { disk, file: disk.openSync('/d/f', 'write') }
}

/** Every different outcome of a power loss, over all seeds. */
function outcomes(
  prepare: () => SimulatedDisk,
  look: (disk: SimulatedDisk) => string,
): Set<string> {
  return new Set(SEEDS.map((seed) => look(prepare().crash(seed))))
}

describe('a simulated disk', () => {
  it('shows a process what it wrote before it was synced', () => {
    const { disk, file } = withFile(Buffer.from('hello world'))
    assert.equal(file.writeSync([Buffer.from('J'), Buffer.from('E')], 0), 2)
    const target = Buffer.alloc(20)
    assert.equal(file.readSync(target, 0), 11)
    assert.equal(target.toString('latin1', 0, 11), 'JEllo world')
    assert.equal(file.readSync(target, 11), 0)
    assert.equal(file.sizeSync(), 11)
    assert.deepEqual(disk.bytes('/d/f').toString(), 'JEllo world')
  })

  it('reads zeroes in a hole', () => {
    const { disk, file } = withFile(Buffer.from('a'))
    file.writeSync(text('b'), 5 * SECTOR_BYTES)
    assert.equal(file.sizeSync(), 5 * SECTOR_BYTES + 1)
    assert.ok(
      disk
        .bytes('/d/f')
        .subarray(1, -1)
        .equals(Buffer.alloc(5 * SECTOR_BYTES - 1)),
    )
    assert.equal(disk.usedBytes, 2 * SECTOR_BYTES)
  })

  it('gives the errors of a file system', async () => {
    const disk = new SimulatedDisk()
    assert.throws(() => disk.openSync('/f', 'read'), { code: 'ENOENT' })
    assert.throws(() => disk.openSync('/d/f', 'create'), { code: 'ENOENT' })
    disk.makeDirectorySync('/d')
    assert.throws(() => disk.makeDirectorySync('/d'), { code: 'EEXIST' })
    disk.openSync('/d/f', 'create').closeSync()
    await assert.rejects(disk.open('/d/f', 'create'), { code: 'EEXIST' })
    await assert.rejects(disk.open('/d', 'read'), { code: 'EISDIR' })
    await assert.rejects(disk.list('/d/f'), { code: 'ENOTDIR' })
    const file = await disk.open('/d/f', 'read')
    await assert.rejects(file.write(text('x'), 0), { code: 'EBADF' })
    await file.close()
    await assert.rejects(file.read(Buffer.alloc(1), 0), { code: 'EBADF' })
    assert.equal(await disk.stat('/d/g'), undefined)
    assert.deepEqual(await disk.stat('/d'), { isFile: false, isDirectory: true, size: 0 })
  })

  it('keeps an open file usable after its entry went', () => {
    const { disk, file } = withFile(Buffer.from('abc'))
    disk.removeSync('/d/f')
    assert.deepEqual(disk.listSync('/d'), [])
    assert.equal(file.readSync(Buffer.alloc(3), 0), 3)
  })

  it('does asynchronous calls in different orders by its seed', async () => {
    const orders = new Set<string>()
    for (const seed of SEEDS.slice(0, 10)) {
      const disk = new SimulatedDisk(seed)
      const order: number[] = []
      await Promise.all(
        [1, 2, 3].map(async (each) => {
          await disk.stat(`/${each}`)
          order.push(each)
        }),
      )
      orders.add(order.join(''))
    }
    assert.ok(orders.size > 2, [...orders].join(' '))
  })
})

describe('a power loss on a simulated disk', () => {
  it('keeps what was synced', () => {
    const look = (disk: SimulatedDisk) => disk.bytes('/d/f').toString()
    const prepare = () => {
      const { disk, file } = withFile(Buffer.from('old'))
      file.writeSync(text('new and longer'), 0)
      file.syncSync()
      return disk
    }
    assert.deepEqual([...outcomes(prepare, look)], ['new and longer'])
  })

  it('keeps any subset of the sectors that were not synced, and tears some', () => {
    const found = outcomes(
      () => {
        const { disk, file } = withFile(filled(1, 3 * SECTOR_BYTES))
        file.writeSync([filled(2, 3 * SECTOR_BYTES)], 0)
        return disk
      },
      (disk) => {
        const bytes = disk.bytes('/d/f')
        assert.equal(bytes.length, 3 * SECTOR_BYTES)
        return [0, 1, 2]
          .map((sector) => new Set(bytes.subarray(sector * 512, sector * 512 + 512)))
          .map((values) => (values.size === 2 ? 'torn' : String([...values][0])))
          .join()
      },
    )
    for (const outcome of ['1,1,1', '2,2,2', '1,2,1', '2,1,2', '1,1,2', '2,1,1']) {
      assert.ok(found.has(outcome), `${outcome} is not in ${[...found].join(' | ')}`)
    }
    assert.ok([...found].some((outcome) => outcome.includes('torn')))
  })

  it('keeps an older version of a sector that was written twice', () => {
    const found = outcomes(
      () => {
        const { disk, file } = withFile(filled(1))
        file.writeSync([filled(2)], 0)
        file.writeSync([filled(3)], 0)
        return disk
      },
      (disk) => String(new Set(disk.bytes('/d/f')).size === 1 && disk.bytes('/d/f')[0]),
    )
    for (const version of ['1', '2', '3']) assert.ok(found.has(version), [...found].join())
  })

  it('keeps an old, a new or an intermediate length, and zeroes or stale bytes where nothing was kept', () => {
    const bytes = new Set<number | undefined>()
    const found = outcomes(
      () => {
        const { disk, file } = withFile(Buffer.alloc(0))
        file.writeSync([filled(7)], 0)
        file.writeSync([filled(7, 2 * SECTOR_BYTES)], SECTOR_BYTES)
        return disk
      },
      (disk) => {
        const left = disk.bytes('/d/f')
        bytes.add(left[0])
        return String(left.length)
      },
    )
    assert.deepEqual([...found].toSorted(), ['0', '1536', '512'])
    assert.ok(bytes.has(7) && bytes.has(0) && bytes.size > 3)
  })

  it('can take away a file whose entry was not synced, though its bytes were', () => {
    const prepare = (isEntrySynced: boolean) => () => {
      const disk = new SimulatedDisk()
      const file = disk.openSync('/f', 'create')
      file.writeSync(text('x'), 0)
      file.syncSync()
      if (isEntrySynced) disk.syncDirectorySync('/')
      return disk
    }
    const look = (disk: SimulatedDisk) =>
      disk
        .files()
        .map((path) => `${path}=${disk.bytes(path).toString()}`)
        .join()
    assert.deepEqual([...outcomes(prepare(false), look)].toSorted(), ['', '/f=x'])
    assert.deepEqual([...outcomes(prepare(true), look)], ['/f=x'])
  })

  it('can take away a directory that was not synced into its parent, with all that is in it', () => {
    const prepare = (isParentSynced: boolean) => () => {
      const disk = new SimulatedDisk()
      disk.makeDirectorySync('/d')
      disk.openSync('/d/f', 'create')
      disk.syncDirectorySync('/d')
      if (isParentSynced) disk.syncDirectorySync('/')
      return disk
    }
    const look = (disk: SimulatedDisk) => disk.files().join()
    assert.deepEqual([...outcomes(prepare(false), look)].toSorted(), ['', '/d/f'])
    assert.deepEqual([...outcomes(prepare(true), look)], ['/d/f'])
  })

  it('can undo a removal and a rename, but leaves a renamed file at least one name', () => {
    const names = (disk: SimulatedDisk) => disk.files().toSorted().join()
    const removed = () => {
      const disk = new SimulatedDisk()
      disk.put('/d/f', Buffer.from('f'))
      disk.removeSync('/d/f')
      return disk
    }
    assert.deepEqual([...outcomes(removed, names)].toSorted(), ['', '/d/f'])
    const renamed = (synced?: string) => () => {
      const disk = new SimulatedDisk()
      disk.put('/d/f', Buffer.from('f'))
      disk.put('/e/other', Buffer.from('o'))
      disk.renameSync('/d/f', '/e/f')
      if (synced) disk.syncDirectorySync(synced)
      return disk
    }
    const both = '/d/f,/e/f,/e/other'
    const [before, after] = ['/d/f,/e/other', '/e/f,/e/other']
    assert.deepEqual([...outcomes(renamed(), names)].toSorted(), [both, before, after])
    assert.deepEqual([...outcomes(renamed('/e'), names)].toSorted(), [both, after])
    assert.deepEqual([...outcomes(renamed('/d'), names)], [after])
  })

  it('leaves the bytes that a rename would have replaced', () => {
    const found = outcomes(
      () => {
        const disk = new SimulatedDisk()
        disk.put('/f', Buffer.from('old'))
        disk.put('/g', Buffer.from('new'))
        disk.renameSync('/g', '/f')
        return disk
      },
      (disk) => disk.bytes('/f').toString(),
    )
    assert.deepEqual([...found].toSorted(), ['new', 'old'])
  })

  it('is repeatable by its seed', () => {
    const left = () => {
      const { disk, file } = withFile(filled(1, 20 * SECTOR_BYTES))
      file.writeSync([filled(2, 20 * SECTOR_BYTES)], 0)
      return disk.crash(17).bytes('/d/f').toString('hex')
    }
    assert.equal(left(), left())
  })

  it('ends the process: its calls never come back, and what was under way happens in part or not at all', async () => {
    const found = new Set<string>()
    for (const seed of SEEDS) {
      const { disk, file } = withFile(filled(1, 4 * SECTOR_BYTES))
      disk.dieAt(2)
      const settled: string[] = []
      void file.write([filled(2, 4 * SECTOR_BYTES)], 0).then(() => settled.push('write'))
      void file.sync().then(() => settled.push('sync'))
      await disk.died
      const next = disk.kill(seed)
      assert.throws(() => disk.listSync('/d'), { code: 'EPOWERLOSS' })
      assert.throws(() => file.readSync(Buffer.alloc(1), 0), { code: 'EPOWERLOSS' })
      await new Promise(setImmediate)
      assert.deepEqual(settled, [])
      found.add([0, 1, 2, 3].map((sector) => next.bytes('/d/f')[sector * 512]).join(''))
    }
    assert.ok(found.has('1111') && found.has('2222') && found.size > 2, [...found].join())
  })

  it('differs from a kill, after which unsynced bytes are still there and still not safe', () => {
    const { disk, file } = withFile(filled(1))
    file.writeSync([filled(2)], 0)
    const killed = disk.kill(1)
    assert.equal(killed.bytes('/d/f')[0], 2)
    assert.ok(killed.isDirty)
    const found = new Set<number | undefined>()
    for (const seed of SEEDS) {
      const { disk, file } = withFile(filled(1))
      file.writeSync([filled(2)], 0)
      found.add(disk.kill(seed).crash(seed).bytes('/d/f')[0])
    }
    assert.deepEqual([...found].toSorted(), [1, 2])
  })
})

describe('faults of a simulated disk', () => {
  it('hit the n-th call of a kind, once', async () => {
    const { disk, file } = withFile(filled(1))
    disk.faults.add({ kind: 'write', nth: 2, code: 'EIO' })
    assert.equal(await file.write(text('a'), 0), 1)
    await assert.rejects(file.write(text('b'), 0), { code: 'EIO', path: '/d/f' })
    assert.equal(await file.write(text('c'), 0), 1)
    assert.equal(disk.faults.count('write'), 3)
    assert.equal(disk.faults.calls.at(-1)?.kind, 'write')
  })

  it('last until they are cleared when told so, on the paths that are named', () => {
    const { disk, file } = withFile(filled(1))
    disk.put('/d/g', filled(1))
    const other = disk.openSync('/d/g', 'write')
    disk.faults.add({ kind: 'sync', path: '/d/f', isLasting: true, code: 'EIO' })
    for (const _ of [1, 2]) assert.throws(() => file.syncSync(), { code: 'EIO' })
    other.syncSync()
    disk.faults.clear()
    file.syncSync()
  })

  it('make a write short by at least one byte that is stored', () => {
    for (const seed of SEEDS) {
      const disk = new SimulatedDisk(seed)
      const file = disk.openSync('/f', 'create')
      disk.faults.add({ kind: 'write', code: 'short' })
      const written = file.writeSync([filled(5, 100)], 0)
      assert.ok(written >= 1 && written <= 100)
      assert.equal(disk.bytes('/f').length, written)
    }
  })

  it('hit every kind of call', async () => {
    for (const code of ['ENOSPC', 'EIO', 'EMFILE', 'EROFS']) {
      const { disk, file } = withFile(filled(1))
      disk.faults.add({ isLasting: true, code })
      await assert.rejects(disk.open('/d/f', 'read'), { code })
      await assert.rejects(disk.open('/d/g', 'create'), { code })
      await assert.rejects(file.read(Buffer.alloc(1), 0), { code })
      await assert.rejects(file.write(text('x'), 0), { code })
      await assert.rejects(file.sync(), { code })
      await assert.rejects(disk.rename('/d/f', '/d/g'), { code })
      await assert.rejects(disk.remove('/d/f'), { code })
      await assert.rejects(disk.makeDirectory('/x'), { code })
      await assert.rejects(disk.list('/d'), { code })
      await assert.rejects(disk.stat('/d'), { code })
      await assert.rejects(disk.syncDirectory('/d'), { code })
      await assert.rejects(disk.freeBytes('/d'), { code })
      assert.deepEqual(disk.files(), ['/d/f'])
    }
  })

  it('let a failed sync lose pages that no later sync writes', () => {
    const left = new Set<number | undefined>()
    for (const seed of SEEDS) {
      const disk = new SimulatedDisk(seed)
      disk.put('/f', filled(1))
      const file = disk.openSync('/f', 'write')
      file.writeSync([filled(2)], 0)
      disk.faults.add({ kind: 'sync', code: 'EIO', pages: 'dropped' })
      assert.throws(() => file.syncSync(), { code: 'EIO' })
      assert.equal(disk.bytes('/f')[0], 2)
      file.syncSync()
      left.add(disk.crash(seed).bytes('/f')[0])
    }
    assert.deepEqual([...left].toSorted(), [1, 2])
  })

  it('let a failed sync show at once what is on the disk', () => {
    const seen = new Set<number | undefined>()
    for (const seed of SEEDS) {
      const disk = new SimulatedDisk(seed)
      disk.put('/f', filled(1))
      const file = disk.openSync('/f', 'write')
      file.writeSync([filled(2)], 0)
      disk.faults.add({ kind: 'sync', code: 'EIO', pages: 'reverted' })
      assert.throws(() => file.syncSync(), { code: 'EIO' })
      seen.add(disk.bytes('/f')[0])
    }
    assert.deepEqual([...seen].toSorted(), [1, 2])
  })

  it('include a full disk, which heals when there is room', () => {
    const { disk, file } = withFile(filled(1))
    disk.capacityBytes = 3 * SECTOR_BYTES
    assert.equal(disk.freeBytesSync('/d'), 2 * SECTOR_BYTES)
    assert.ok(file.writeSync([filled(2, 8 * SECTOR_BYTES)], 0) < 8 * SECTOR_BYTES)
    assert.throws(() => file.writeSync([filled(2, 8)], 3 * SECTOR_BYTES), { code: 'ENOSPC' })
    assert.equal(
      file.writeSync([filled(3)], 0),
      SECTOR_BYTES,
      'room that is there may be rewritten',
    )
    disk.capacityBytes = Number.POSITIVE_INFINITY
    assert.equal(file.writeSync([filled(2, 8)], 3 * SECTOR_BYTES), 8)
  })

  it('leave a copy of the disk alone', () => {
    const { disk } = withFile(Buffer.from('abc'))
    const copy = disk.clone()
    copy.truncate('/d/f', 1)
    copy.put('/d/f', Buffer.from('z'))
    assert.equal(copy.bytes('/d/f').toString(), 'z')
    assert.equal(disk.bytes('/d/f').toString(), 'abc')
  })
})
