import type { DiskFile } from '@millrace/wal'
import { diskError } from './directory-tree.js'
import type { Failure } from './fault-plan.js'
import type { FileContent } from './file-content.js'
import type { DiskWork, SimulatedDisk } from './simulated-disk.js'

/** A file of a simulated disk, opened by a process. It stays usable when its entry is gone. */
export class SimulatedFile implements DiskFile {
  readonly path: string
  readonly #disk: SimulatedDisk
  readonly #content: FileContent
  readonly #isWritable: boolean
  #isClosed = false

  constructor(disk: SimulatedDisk, path: string, content: FileContent, isWritable: boolean) {
    this.path = path
    this.#disk = disk
    this.#content = content
    this.#isWritable = isWritable
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.#disk.later(this.#reading(target, position))
  }
  readSync(target: Uint8Array, position: number): number {
    return this.#disk.now(this.#reading(target, position))
  }
  write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    return this.#disk.later(this.#writing(buffers, position))
  }
  writeSync(buffers: readonly Uint8Array[], position: number): number {
    return this.#disk.now(this.#writing(buffers, position))
  }
  sync(): Promise<void> {
    return this.#disk.later(this.#syncing())
  }
  syncSync(): void {
    this.#disk.now(this.#syncing())
  }
  size(): Promise<number> {
    return this.#disk.later(this.#sizing())
  }
  sizeSync(): number {
    return this.#disk.now(this.#sizing())
  }
  close(): Promise<void> {
    return this.#disk.later(this.#closing())
  }
  closeSync(): void {
    this.#disk.now(this.#closing())
  }

  #reading(target: Uint8Array, position: number): DiskWork<number> {
    const perform = () => {
      this.#check('read')
      return this.#content.read(target, position)
    }
    return { kind: 'read', path: this.path, position, bytes: target.length, perform }
  }

  /** The buffers are read when the write happens, as the kernel does: a caller must leave them alone till then. */
  #writing(buffers: readonly Uint8Array[], position: number): DiskWork<number> {
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
    const perform = (share: number) => {
      this.#check('write')
      if (!this.#isWritable) throw diskError('EBADF', 'write', this.path)
      const all = Buffer.concat(buffers)
      return this.#disk.store(
        { path: this.path, content: this.#content },
        all.subarray(0, Math.ceil(bytes * share)),
        position,
      )
    }
    const fail = (failure: Failure) => {
      const share = this.#disk.random()
      if (failure.code === 'short') return perform(share === 0 ? 1 : share)
      // A write that fails may have stored a part of what it was given.
      if (this.#disk.random() < 0.5) perform(share)
      throw diskError(failure.code, 'write', this.path)
    }
    return { kind: 'write', path: this.path, position, bytes, perform, fail }
  }

  #syncing(): DiskWork<void> {
    const perform = () => {
      this.#check('fdatasync')
      this.#content.sync()
    }
    const fail = ({ code, pages = 'kept' }: Failure) => {
      if (code === 'short') return perform()
      if (pages !== 'kept') this.#content.failSync(this.#disk.random, pages === 'reverted')
      throw diskError(code, 'fdatasync', this.path)
    }
    return { kind: 'sync', path: this.path, perform, fail }
  }

  #sizing(): DiskWork<number> {
    const perform = () => {
      this.#check('fstat')
      return this.#content.size
    }
    return { kind: 'size', path: this.path, perform }
  }

  #closing(): DiskWork<void> {
    const perform = () => {
      this.#check('close')
      this.#isClosed = true
    }
    // A descriptor is gone after a close that failed.
    const fail = ({ code }: Failure) => {
      perform()
      if (code !== 'short') throw diskError(code, 'close', this.path)
    }
    return { kind: 'close', path: this.path, perform, fail }
  }

  #check(call: string): void {
    if (this.#isClosed) throw diskError('EBADF', call, this.path)
  }
}
