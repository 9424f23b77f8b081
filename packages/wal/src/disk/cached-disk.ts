import type { Disk, DiskFile } from './disk.js'

/**
 * A disk on which nothing is synced: what is written survives the process, and the machine only as far as the
 * operating system has stored it by itself. For whoever must never wait for a disk.
 */
export function cachedDisk(disk: Disk): Disk {
  return {
    open: async (path, mode) => cachedFile(await disk.open(path, mode)),
    openSync: (path, mode) => cachedFile(disk.openSync(path, mode)),
    list: (path) => disk.list(path),
    listSync: (path) => disk.listSync(path),
    stat: (path) => disk.stat(path),
    statSync: (path) => disk.statSync(path),
    makeDirectory: (path) => disk.makeDirectory(path),
    makeDirectorySync: (path) => disk.makeDirectorySync(path),
    rename: (from, to) => disk.rename(from, to),
    renameSync: (from, to) => disk.renameSync(from, to),
    remove: (path) => disk.remove(path),
    removeSync: (path) => disk.removeSync(path),
    syncDirectory: async () => {},
    syncDirectorySync: () => {},
    freeBytes: (path) => disk.freeBytes(path),
    freeBytesSync: (path) => disk.freeBytesSync(path),
  }
}

function cachedFile(file: DiskFile): DiskFile {
  return {
    path: file.path,
    read: (target, position) => file.read(target, position),
    readSync: (target, position) => file.readSync(target, position),
    write: (buffers, position) => file.write(buffers, position),
    writeSync: (buffers, position) => file.writeSync(buffers, position),
    sync: async () => {},
    syncSync: () => {},
    size: () => file.size(),
    sizeSync: () => file.sizeSync(),
    close: () => file.close(),
    closeSync: () => file.closeSync(),
  }
}
