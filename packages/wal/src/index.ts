export type { Disk, DiskEntry, DiskFile, OpenMode } from './disk/disk.js'
