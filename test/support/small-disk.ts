/** Disks that fill up in earnest: a small file system, or where none can be mounted a limit of the process. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentProcess } from './agent-process.js'

export interface SmallDisk {
  /** What the system answers on a full disk. */
  readonly error: 'ENOSPC' | 'EFBIG'
  /** Starts a program whose `directory` is on the disk. */
  wrapper(directory: string): readonly string[]
  /** Where the test sees the agent's directory. */
  seen(agent: AgentProcess): string
  /** Leaves no room, or room for a part of a batch at most. */
  fill(agent: AgentProcess): void
  free(agent: AgentProcess): void
}

const FILLER = '.filler'
const UNSHARE = ['--user', '--map-root-user', '--mount']

/** A file system of 256 KiB that only the agent and its children have mounted; root is not needed. */
const mountedDisk: SmallDisk = {
  error: 'ENOSPC',
  wrapper: (directory) => [
    'unshare',
    ...UNSHARE,
    'sh',
    '-c',
    'mount -t tmpfs -o size=256k tmpfs "$0" && exec "$@"',
    directory,
  ],
  seen: (agent) => join('/proc', String(agent.pid), 'root', agent.storedDirectory),
  fill(agent) {
    const filler = join(this.seen(agent), FILLER)
    assert.throws(() => writeFileSync(filler, Buffer.alloc(1_000_000)), { code: 'ENOSPC' })
  },
  free(agent) {
    rmSync(join(this.seen(agent), FILLER))
  },
}

/** A process that may not write to files, until its limit is lifted. */
const limitedProcess: SmallDisk = {
  error: 'EFBIG',
  wrapper: () => ['sh', '-c', 'exec "$@"', 'sh'],
  seen: (agent) => agent.storedDirectory,
  fill: (agent) => limitFiles(agent, '0:'),
  free: (agent) => limitFiles(agent, 'unlimited:'),
}

function limitFiles(agent: AgentProcess, limit: string): void {
  const { status, stderr } = spawnSync('prlimit', [`--pid=${agent.pid}`, `--fsize=${limit}`])
  assert.equal(status, 0, String(stderr))
}

/** The first of the two that works here. */
export function smallDisk(): SmallDisk {
  const probe = spawnSync('unshare', [...UNSHARE, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'])
  return probe.status === 0 ? mountedDisk : limitedProcess
}

export const filesIn = (directory: string) =>
  readdirSync(directory).filter((name) => name !== FILLER)
