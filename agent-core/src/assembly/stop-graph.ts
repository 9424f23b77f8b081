/** Stops the components of a graph in Flume's order: sources, sinks, channels. */
import type { Clock } from '@millrace/runtime'
import type { Graph } from './graph.js'

/** When each part of a stop is over, as shares of its whole time. */
const SOURCES_UNTIL = 1 / 3
const DRAIN_UNTIL = 0.8
const WRITES_UNTIL = 0.9
/** What every part gets, however late it is, in milliseconds. */
const LEAST_MS = 50

export interface StopGraphOptions {
  readonly deadlineMs: number
  /** Whether sinks go on until the memory channels are empty. */
  readonly drains: boolean
  readonly clock: Clock
}

/**
 * Sources stop accepting and answer what they hold, for which sinks still make room; then sinks
 * drain the memory channels and end the write under way; then channels close.
 */
export async function stopGraph(graph: Graph, options: StopGraphOptions): Promise<void> {
  const left = timeLeft(options)
  await stopSources(graph, left(SOURCES_UNTIL))
  await stopSinks(graph, options, left)
  await Promise.all(
    [...graph.channels.values()].map(({ supervised }) => supervised.stop({ deadlineMs: left(1) })),
  )
}

export async function stopSources(graph: Graph, deadlineMs: number): Promise<void> {
  await Promise.all(graph.sources.map(({ supervised }) => supervised.stop({ deadlineMs })))
}

export async function stopSinks(
  graph: Pick<Graph, 'runners' | 'sinks'>,
  options: StopGraphOptions,
  left = timeLeft(options),
): Promise<void> {
  const drainMs = options.drains ? left(DRAIN_UNTIL) : 0
  const deadlineMs = left(WRITES_UNTIL)
  await Promise.all(graph.runners.map(({ runner }) => runner.stop({ drainMs, deadlineMs })))
  await Promise.all(graph.sinks.map(({ supervised }) => supervised.stop({ deadlineMs: left(1) })))
}

/** Milliseconds until a share of the time that begins now is over. */
function timeLeft({ clock, deadlineMs }: StopGraphOptions): (share: number) => number {
  const beganMs = clock.monotonic()
  return (share) => Math.max(LEAST_MS, beganMs + deadlineMs * share - clock.monotonic())
}
