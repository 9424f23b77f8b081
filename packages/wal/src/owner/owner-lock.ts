/**
 * One owner for a log, without `flock`, which Node lacks: the owner listens on a Unix socket in each of its
 * directories. Whoever can connect to it knows that the owner lives, also from another container that shares the
 * volume; when the owner dies, however it dies, nobody answers.
 */
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import { join } from 'node:path'
import { LogError } from '@millrace/runtime'
import { OWNER_SOCKET } from '../layout.js'

export interface DirectoryLock {
  release(): void
}

/** Takes a directory for this process. @throws LogError `MILLRACE_LOG_IN_USE` when a live owner has it. */
export interface LockDirectory {
  take(directory: string): Promise<DirectoryLock>
  takeSync(directory: string): DirectoryLock
}

/** Keeps nobody out: for disks that only one process sees. */
export const withoutLock: LockDirectory = {
  take: async () => ({ release() {} }),
  takeSync: () => ({ release() {} }),
}

/** Takes all of the directories or none. */
export async function takeAll(
  lock: LockDirectory,
  directories: readonly string[],
): Promise<DirectoryLock> {
  const held: DirectoryLock[] = []
  try {
    for (const directory of new Set(directories)) held.push(await lock.take(directory))
    return together(held)
  } catch (error) {
    together(held).release()
    throw error
  }
}

/** The same without waiting. */
export function takeAllSync(lock: LockDirectory, directories: readonly string[]): DirectoryLock {
  const held: DirectoryLock[] = []
  try {
    for (const directory of new Set(directories)) held.push(lock.takeSync(directory))
    return together(held)
  } catch (error) {
    together(held).release()
    throw error
  }
}

function together(locks: readonly DirectoryLock[]): DirectoryLock {
  return {
    release() {
      for (const lock of locks) lock.release()
    },
  }
}

/** Longest that a live owner takes to answer, in milliseconds. */
const ANSWER_MS = 2000
/** Longest path of a socket on every system, in bytes. */
const MAX_SOCKET_PATH_BYTES = 100
/** Errors of file systems that give a socket no second name; there two that start in one instant can both win. */
const NO_SOCKET_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'])
/** How often a race for a dead owner's place is run again. */
const ATTEMPTS = 5

/** A socket that is named after what it stands for, so that a name is made and taken in one step. */
function bind(directory: string): { server: net.Server; name: string } {
  const name = `${OWNER_SOCKET}.${process.pid}.${randomBytes(4).toString('hex')}`
  const server = net.createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.end(`${process.pid}\n`)
  })
  server.unref()
  // A second error would come when the directory is removed under us; the lock is then worth nothing anyway.
  server.on('error', () => {})
  withShortPath(directory, (short) => server.listen({ path: join(short, name), exclusive: true }))
  if (!server.listening) {
    server.close()
    throw new LogError('MILLRACE_LOG_DIRECTORY', `No socket can be made in ${directory}`)
  }
  return { server, name }
}

/** Calls with a path of the directory that is short enough for a socket: a link to it where it is too long. */
function withShortPath<T>(directory: string, use: (path: string) => T): T {
  const short = shortPath(directory)
  try {
    return use(short.path)
  } finally {
    short.done()
  }
}

function shortPath(directory: string): { readonly path: string; done(): void } {
  const longest = Buffer.byteLength(directory) + OWNER_SOCKET.length + 24
  if (longest <= MAX_SOCKET_PATH_BYTES) return { path: directory, done() {} }
  const link = join(os.tmpdir(), `millrace-${randomBytes(6).toString('hex')}`)
  fs.symlinkSync(directory, link)
  return { path: link, done: () => fs.rmSync(link, { force: true }) }
}

function inUse(directory: string, owner: string): LogError {
  return new LogError('MILLRACE_LOG_IN_USE', `${directory} is in use by ${whoIs(owner)}`)
}

function whoIs(owner: string): string {
  if (owner === '') return 'another process'
  const isOwn = owner === String(process.pid)
  return `process ${owner}${isOwn ? ', which is this one: it is open already, or named twice' : ''}`
}

/** The number of the process that answers, or undefined when nobody does. */
function ownerOf(directory: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const short = shortPath(directory)
    const socket = net.connect(join(short.path, OWNER_SOCKET))
    let answer = ''
    const end = (owner: string | undefined) => {
      socket.destroy()
      short.done()
      resolve(owner)
    }
    socket.setTimeout(ANSWER_MS, () => end(answer.trim()))
    socket.on('data', (data) => {
      answer += data.toString('latin1')
    })
    socket.on('end', () => end(answer.trim()))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const isDead = error.code === 'ECONNREFUSED' || error.code === 'ENOENT'
      end(isDead ? undefined : '')
    })
  })
}

/** Whether the entry is there: also as a socket that nobody answers on. */
function isThere(path: string): boolean {
  return fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** Gives the bound socket its name; false when the name is taken. A hard link is made in one step or not at all. */
function claim(directory: string, bound: { server: net.Server; name: string }): boolean {
  const own = join(directory, bound.name)
  try {
    fs.linkSync(own, join(directory, OWNER_SOCKET))
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (!NO_SOCKET_LINKS.has(String(code))) throw error
    if (isThere(join(directory, OWNER_SOCKET))) return false
    fs.renameSync(own, join(directory, OWNER_SOCKET))
    return true
  } finally {
    fs.rmSync(own, { force: true })
  }
}

function lockOf(directory: string, server: net.Server): DirectoryLock {
  let isHeld = true
  const inode = fs.lstatSync(join(directory, OWNER_SOCKET)).ino
  return {
    release() {
      if (!isHeld) return
      isHeld = false
      const path = join(directory, OWNER_SOCKET)
      // Not another owner's, who may have taken a place that was cleared under us.
      if (fs.lstatSync(path, { throwIfNoEntry: false })?.ino === inode) fs.rmSync(path)
      server.close()
    },
  }
}

/** Removes the socket of a dead owner, and gives back one that turns out to belong to a live one. */
async function clearDead(directory: string): Promise<void> {
  const aside = join(directory, `${OWNER_SOCKET}.${randomBytes(4).toString('hex')}.dead`)
  const path = join(directory, OWNER_SOCKET)
  const before = fs.lstatSync(path, { throwIfNoEntry: false })?.ino
  const owner = await ownerOf(directory)
  if (owner !== undefined) throw inUse(directory, owner)
  if (before === undefined || fs.lstatSync(path, { throwIfNoEntry: false })?.ino !== before) return
  try {
    fs.renameSync(path, aside)
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const moved = fs.lstatSync(aside, { throwIfNoEntry: false })?.ino
  if (moved !== before && !isThere(path)) fs.renameSync(aside, path)
  else fs.rmSync(aside, { force: true })
}

export const lockBySocket: LockDirectory = {
  async take(directory) {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (isThere(join(directory, OWNER_SOCKET))) await clearDead(directory)
      const bound = bind(directory)
      if (claim(directory, bound)) return lockOf(directory, bound.server)
      bound.server.close()
    }
    throw inUse(directory, '')
  },

  takeSync(directory) {
    const bound = bind(directory)
    if (claim(directory, bound)) return lockOf(directory, bound.server)
    bound.server.close()
    throw inUse(directory, '')
  },
}

/** The number of the process that owns the log with these directories; undefined when nobody does. */
export async function liveOwner(directories: readonly string[]): Promise<string | undefined> {
  for (const directory of new Set(directories)) {
    if (!isThere(join(directory, OWNER_SOCKET))) continue
    const owner = await ownerOf(directory)
    if (owner !== undefined) return owner
  }
  return undefined
}
