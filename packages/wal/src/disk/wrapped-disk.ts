import type { Disk, DiskFile } from './disk.js'

/** The same disk, each of whose files is opened as `wrap` makes it. */
export function withFiles(disk: Disk, wrap: (file: DiskFile) => DiskFile): Disk {
  return {
    open: async (path, mode) => wrap(await disk.open(path, mode)),
    openSync: (path, mode) => wrap(disk.openSync(path, mode)),
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
    syncDirectory: (path) => disk.syncDirectory(path),
    syncDirectorySync: (path) => disk.syncDirectorySync(path),
    freeBytes: (path) => disk.freeBytes(path),
    freeBytesSync: (path) => disk.freeBytesSync(path),
  }
}
