import { readdirSync, readlinkSync } from 'node:fs'
import { until } from '../until.js'

const DESCRIPTORS = '/proc/self/fd'
/** Immediates and ticks end by themselves; standard streams belong to nobody. */
const IGNORED = new Set(['Immediate', 'TickObject', 'TTYWrap', 'CloseReq'])

/**
 * Notes what the process holds now: whatever keeps it alive, and where the system tells (Linux)
 * its open files and sockets too, which may be unreferenced. The function that it gives waits until
 * no more than that is held, and fails with what was left open when that does not come in time.
 *
 * Call it after the first `await` of a test: mocha sets the timer of a test's own time limit only
 * when the test has given its promise.
 */
export function watchResources(): (options?: { timeoutMs?: number }) => Promise<void> {
  const before = countResources()
  return async ({ timeoutMs = 2_000 } = {}) => {
    const leaked = () =>
      [...countResources()]
        .filter(([kind, count]) => count > (before.get(kind) ?? 0))
        .map(([kind, count]) => `${count - (before.get(kind) ?? 0)} × ${kind}`)
    await until(() => leaked().length === 0, {
      timeoutMs,
      what: () => `everything closed; still open: ${leaked().join(', ')}`,
    })
  }
}

function countResources(): Map<string, number> {
  const counts = new Map<string, number>()
  const add = (kind: string) => counts.set(kind, (counts.get(kind) ?? 0) + 1)
  for (const kind of process.getActiveResourcesInfo()) if (!IGNORED.has(kind)) add(kind)
  for (const target of openDescriptors()) {
    if (target.startsWith('socket:')) add('socket descriptor')
    else if (/^\/(?!dev\/|proc\/)/.test(target)) add(`file ${target}`)
  }
  return counts
}

function openDescriptors(): string[] {
  return namesIn(DESCRIPTORS).flatMap((name) => {
    try {
      return [readlinkSync(`${DESCRIPTORS}/${name}`)]
    } catch {
      return [] // Closed in between: the one that the listing itself used is always among them.
    }
  })
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return [] // Not Linux.
  }
}
