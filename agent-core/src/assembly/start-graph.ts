/** Starts the components of a graph: channels, then sinks and what drives them, then sources. */
import type { Graph } from './graph.js'
import type { Supervised } from './supervised.js'

export interface GraphStart {
  readonly start: (supervised: Supervised) => Promise<void>
  /** Called when channels and sinks have started. */
  readonly beforeSources?: () => Promise<void>
}

export async function startGraph(
  graph: Graph,
  { start, beforeSources }: GraphStart,
): Promise<void> {
  await Promise.all([...graph.channels.values()].map((node) => start(node.supervised)))
  await Promise.all(graph.sinks.map((node) => start(node.supervised)))
  for (const { runner } of graph.runners) runner.start()
  await beforeSources?.()
  await Promise.all(graph.sources.map((node) => start(node.supervised)))
}
