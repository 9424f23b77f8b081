import type { Disk, DiskFile } from './disk.js'
import { withFiles } from './wrapped-disk.js'

/**
 * A disk on which nothing is synced: what is written survives the process, and the machine only as far as the
 * operating system has stored it by itself. For whoever must never wait for a disk.
 */
export function cachedDisk(disk: Disk): Disk {
  return {
    ...withFiles(disk, cachedFile),
    syncDirectory: async () => {},
    syncDirectorySync: () => {},
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
