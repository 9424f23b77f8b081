/** The real disk: Node's file system by descriptors. */
import fs from 'node:fs'
import type { Disk, DiskEntry, DiskFile, OpenMode } from './disk.js'

const FLAGS: Readonly<Record<OpenMode, string>> = { read: 'r', write: 'r+', create: 'wx+' }
/** Files hold log events, which may be private: only their owner reads them. */
const FILE_MODE = 0o640
const DIRECTORY_MODE = 0o750
/** Most buffers of one write call (IOV_MAX). */
const MAX_BUFFERS = 1024

/** Errors of platforms on which a directory cannot be opened or synced; there its entries are safe at once or never. */
const NO_DIRECTORY_SYNC = new Set(['EISDIR', 'EPERM', 'EINVAL', 'ENOTSUP'])

function ifNothing(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
  throw error
}

function entryOf(stats: fs.Stats): DiskEntry {
  return { isFile: stats.isFile(), isDirectory: stats.isDirectory(), size: stats.size }
}

class NodeFile implements DiskFile {
  readonly path: string
  readonly #fd: number
  #isOpen = true

  constructor(path: string, fd: number) {
    this.path = path
    this.#fd = fd
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, target, 0, target.length, position, (error, count) =>
        error ? reject(error) : resolve(count),
      )
    })
  }

  readSync(target: Uint8Array, position: number): number {
    return fs.readSync(this.#fd, target, 0, target.length, position)
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, count: number) => (error ? reject(error) : resolve(count))
      const [first] = buffers
      if (first && buffers.length === 1) {
        fs.write(this.#fd, first, 0, first.length, position, done)
        return
      }
      fs.writev(this.#fd, buffers.slice(0, MAX_BUFFERS), position, done)
    })
  }

  writeSync(buffers: readonly Uint8Array[], position: number): number {
    const [first] = buffers
    if (first && buffers.length === 1) {
      return fs.writeSync(this.#fd, first, 0, first.length, position)
    }
    return fs.writevSync(this.#fd, buffers.slice(0, MAX_BUFFERS), position)
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#fd, (error) => (error ? reject(error) : resolve()))
    })
  }

  syncSync(): void {
    fs.fdatasyncSync(this.#fd)
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.fstat(this.#fd, (error, stats) => (error ? reject(error) : resolve(stats.size)))
    })
  }

  sizeSync(): number {
    return fs.fstatSync(this.#fd).size
  }

  close(): Promise<void> {
    if (!this.#isOpen) return Promise.resolve()
    this.#isOpen = false
    return new Promise((resolve, reject) => {
      fs.close(this.#fd, (error) => (error ? reject(error) : resolve()))
    })
  }

  closeSync(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    fs.closeSync(this.#fd)
  }
}

export const nodeDisk: Disk = {
  open: (path, mode) =>
    new Promise((resolve, reject) => {
      fs.open(path, FLAGS[mode], FILE_MODE, (error, fd) =>
        error ? reject(error) : resolve(new NodeFile(path, fd)),
      )
    }),
  openSync: (path, mode) => new NodeFile(path, fs.openSync(path, FLAGS[mode], FILE_MODE)),
  list: (directory) => fs.promises.readdir(directory),
  listSync: (directory) => fs.readdirSync(directory),
  stat: (path) => fs.promises.stat(path).then(entryOf, ifNothing),
  statSync(path) {
    try {
      return entryOf(fs.statSync(path))
    } catch (error) {
      return ifNothing(error)
    }
  },
  makeDirectory: (path) => fs.promises.mkdir(path, { mode: DIRECTORY_MODE }),
  makeDirectorySync: (path) => fs.mkdirSync(path, { mode: DIRECTORY_MODE }),
  rename: (from, to) => fs.promises.rename(from, to),
  renameSync: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.promises.unlink(path),
  removeSync: (path) => fs.unlinkSync(path),
  async syncDirectory(path) {
    try {
      const handle = await fs.promises.open(path, 'r')
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
    } catch (error) {
      if (!NO_DIRECTORY_SYNC.has(String((error as NodeJS.ErrnoException).code))) throw error
    }
  },
  syncDirectorySync(path) {
    try {
      const fd = fs.openSync(path, 'r')
      try {
        fs.fsyncSync(fd)
      } finally {
        fs.closeSync(fd)
      }
    } catch (error) {
      if (!NO_DIRECTORY_SYNC.has(String((error as NodeJS.ErrnoException).code))) throw error
    }
  },
  async freeBytes(path) {
    const { bavail, bsize } = await fs.promises.statfs(path)
    return bavail * bsize
  },
  freeBytesSync(path) {
    const { bavail, bsize } = fs.statfsSync(path)
    return bavail * bsize
  },
}
