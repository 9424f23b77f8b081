import type { OnBytes } from '@millrace/agent-core'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** After so many bytes of events that came, or that went, the young generation is collected. */
const INTERVAL_BYTES = 6 * 1024 * 1024

/**
 * Keeps dead buffers from piling up. An agent makes few objects and many buffers, whose memory lies
 * outside the JavaScript heap and is free again only when the heap is collected. Left alone, V8 does
 * so after tens of megabytes, when the buffers have grown old, and then needs full collections.
 * Small, early collections of the young generation cost far less: with 1,000-event batches, measured,
 * 0.22 in place of 0.58 s of processor time per million events, and a peak of 75 MB in place of 104.
 *
 * What comes in and what goes out are counted apart: a backlog that is drained makes as many dead buffers
 * as events that arrive, and events that pass through at once are one garbage, not two.
 *
 * @returns what is to be told the bytes of each batch.
 */
export function youngGenerationCollector(): OnBytes {
  // The young generation stays at its first, small size: collecting it takes a fraction of a millisecond.
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--expose-gc')
  // Events that wait in a channel outlive it all the same. V8 would collect the whole of a small heap after
  // each 12 MB of them; with this factor, well within what its own rule may choose, after each 30 MB.
  setFlagsFromString('--heap-growing-percent=150')
  const collect: unknown = runInNewContext('globalThis.gc')
  if (typeof collect !== 'function') return () => {}
  const bytes = { source: 0, sink: 0 }
  return (count, side) => {
    bytes[side] += count
    if (bytes[side] < INTERVAL_BYTES) return
    bytes.source = 0
    bytes.sink = 0
    Reflect.apply(collect, undefined, [{ type: 'minor' }])
  }
}
