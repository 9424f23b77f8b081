import { Page } from './page.js'
import { Run } from './run.js'

/** Copies events behind those of `target` while they fit, and says how many places were used. */
export function copyEvents(
  target: Run,
  source: Run,
  limit: { readonly maxEvents: number; readonly maxBytes: number },
): number {
  const { page } = source
  let index = source.from
  for (; index < source.to; index += 1) {
    if (page.isHole(index)) continue
    const bytes = page.byteLengthAt(index)
    if (target.events >= limit.maxEvents) break
    if (target.events > 0 && target.bytes + bytes > limit.maxBytes) break
    const start = page.offsets[index] ?? 0
    target.page.writer.writeRaw(page.writer.buffer.subarray(start, start + bytes))
    target.page.add(page.levelAt(index), page.sequenceAt(index))
    const place = page.placeAt(index)
    if (place > 0) target.page.setPlace(target.page.count - 1, place)
    target.extend(bytes)
  }
  return index - source.from
}

/** The run with its history, without holes, on a page that holds nothing else. */
export function ownCopy(run: Run): Run {
  const copy = new Run(new Page(run.bytes, run.events), 0, run)
  copyEvents(copy, run, { maxEvents: run.events, maxBytes: run.bytes })
  copy.attempts = run.attempts
  copy.refusals = run.refusals
  copy.refusedBy = run.refusedBy
  return copy
}
