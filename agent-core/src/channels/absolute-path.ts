import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** A path as a configuration has it: `~` is the home directory, and relative ones begin where the agent runs. */
export function absolutePath(path: string): string {
  if (path === '~') return homedir()
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(path)
}
