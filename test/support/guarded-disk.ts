import { type Disk, type DiskFile, nodeDisk } from '@millrace/wal'

/** The real disk, with `check` before each call that changes something, or before each call: it may throw. */
export function guardedDisk(check: () => void, guards: 'writes' | 'all' = 'writes'): Disk {
  const read = guards === 'all' ? check : () => {}
  return {
    open: async (path, mode) => {
      read()
      return guarded(await nodeDisk.open(path, mode), { check, read })
    },
    openSync: (path, mode) => {
      read()
      return guarded(nodeDisk.openSync(path, mode), { check, read })
    },
    list: async (path) => before(read, () => nodeDisk.list(path)),
    listSync: (path) => before(read, () => nodeDisk.listSync(path)),
    stat: async (path) => before(read, () => nodeDisk.stat(path)),
    statSync: (path) => before(read, () => nodeDisk.statSync(path)),
    makeDirectory: async (path) => before(check, () => nodeDisk.makeDirectory(path)),
    makeDirectorySync: (path) => before(check, () => nodeDisk.makeDirectorySync(path)),
    rename: async (from, to) => before(check, () => nodeDisk.rename(from, to)),
    renameSync: (from, to) => before(check, () => nodeDisk.renameSync(from, to)),
    remove: async (path) => before(check, () => nodeDisk.remove(path)),
    removeSync: (path) => before(check, () => nodeDisk.removeSync(path)),
    syncDirectory: async (path) => before(check, () => nodeDisk.syncDirectory(path)),
    syncDirectorySync: (path) => before(check, () => nodeDisk.syncDirectorySync(path)),
    freeBytes: async (path) => before(read, () => nodeDisk.freeBytes(path)),
    freeBytesSync: (path) => before(read, () => nodeDisk.freeBytesSync(path)),
  }
}

interface Guards {
  readonly check: () => void
  readonly read: () => void
}

function guarded(file: DiskFile, { check, read }: Guards): DiskFile {
  return {
    path: file.path,
    read: async (target, position) => before(read, () => file.read(target, position)),
    readSync: (target, position) => before(read, () => file.readSync(target, position)),
    write: async (buffers, position) => before(check, () => file.write(buffers, position)),
    writeSync: (buffers, position) => before(check, () => file.writeSync(buffers, position)),
    sync: async () => before(check, () => file.sync()),
    syncSync: () => before(check, () => file.syncSync()),
    size: async () => before(read, () => file.size()),
    sizeSync: () => before(read, () => file.sizeSync()),
    close: () => file.close(),
    closeSync: () => file.closeSync(),
  }
}

function before<T>(check: () => void, call: () => T): T {
  check()
  return call()
}
