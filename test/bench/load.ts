/** Runs the load generator as a process of its own. */
import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Shape {
  readonly batch: number
  /** Batches on their way at once on each connection. */
  readonly window: number
  readonly connections: number
}

export interface LoadResult {
  readonly events: number
  readonly seconds: number
  readonly eventsPerSecond: number
  /** Encoded length of one event. */
  readonly eventBytes: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const here = dirname(fileURLToPath(import.meta.url))

/** Sends that many events, to a whole batch for each connection. Rejects when one was not answered with OK. */
export function load(port: number, shape: Shape, events: number): Promise<LoadResult> {
  const args = [port, events, shape.batch, shape.window, shape.connections].map(String)
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [join(here, 'load-generator.js'), ...args], (error, stdout) =>
      error ? reject(error) : resolve(JSON.parse(stdout) as LoadResult),
    )
  })
}

export const shapeName = (shape: Shape): string =>
  `${shape.batch} × ${shape.window} × ${shape.connections}`
