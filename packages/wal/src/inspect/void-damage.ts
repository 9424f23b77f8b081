/** Puts a record that says "nothing here" where damaged bytes are, behind a copy of them. */
import { closeFile, openFile, runAsync, syncFile, writeFully } from '../disk/steps.js'
import {
  bodyChecksum,
  RECORD_HEADER_BYTES,
  RECORD_VOID,
  recordBytes,
  type RecordHeader,
  writeRecordHeader,
} from '../format/record.js'
import { Quarantine } from '../recovery/quarantine.js'
import type { Segment } from '../segments/segment.js'
import type { Survey } from './survey.js'
import { type Walked, walkLog } from './walk.js'

const CHUNK_BYTES = 1024 ** 2

type Damage = Extract<Walked, { kind: 'damage' }>

/** A damaged place and what is known of its surroundings. */
export interface DamagedPlace {
  readonly segment: Segment
  readonly from: number
  readonly to: number
  /** For the record that takes its place. */
  readonly id: number
  readonly nextSequence: number
  readonly appendedAtMs: number
}

/** All damaged places of a log. */
export async function damagedPlaces(survey: Survey, signal?: AbortSignal): Promise<DamagedPlace[]> {
  const places: DamagedPlace[] = []
  let open: Damage | undefined
  const settle = (sequence: number) => {
    if (open) places.push(placeOf(open, sequence))
    open = undefined
  }
  for await (const walked of walkLog(survey, { signal })) {
    if (open && walked.segment !== open.segment) settle(open.segment.nextSequence)
    if (walked.kind === 'record') settle(walked.header.firstSequence)
    else if (walked.kind === 'damage') {
      settle(walked.header?.firstSequence ?? walked.segment.nextSequence)
      open = walked
    }
  }
  if (open) settle(open.segment.nextSequence)
  return places
}

function placeOf({ from, header, lastId, segment, to }: Damage, sequence: number): DamagedPlace {
  return {
    segment,
    from,
    to,
    id: header?.id ?? lastId + 1,
    nextSequence: header ? header.firstSequence + header.events : sequence,
    appendedAtMs: header?.appendedAtMs ?? segment.lastAppendedAtMs,
  }
}

/**
 * Copies a damaged place and replaces it.
 * @returns the path of the copy; undefined when there was no room for one, and then nothing was changed.
 * @throws what the disk throws. Whenever it ends, the place is either damaged still or replaced.
 */
export async function voidDamage(
  { disk, options }: Survey,
  place: DamagedPlace,
): Promise<string | undefined> {
  const copy = await runAsync(new Quarantine(disk, options).keep(place.segment, place, 'damaged'))
  if (copy === undefined) return undefined
  const file = await runAsync(openFile(disk, place.segment.file.path, 'write'))
  try {
    const bodyBytes = place.to - place.from - RECORD_HEADER_BYTES
    const bodyStart = place.from + RECORD_HEADER_BYTES
    for (let at = 0; at < bodyBytes; at += CHUNK_BYTES) {
      const zeroes = Buffer.alloc(Math.min(CHUNK_BYTES, bodyBytes - at))
      await runAsync(writeFully(file, [zeroes], bodyStart + at))
    }
    await runAsync(syncFile(file))
    await runAsync(writeFully(file, [voidHeader(place, bodyBytes)], place.from))
    await runAsync(syncFile(file))
  } finally {
    await runAsync(closeFile(file))
  }
  return copy
}

/** Whether a record fits there. */
export function canBeVoid({ from, to }: DamagedPlace): boolean {
  return (
    to - from >= RECORD_HEADER_BYTES && recordBytes(to - from - RECORD_HEADER_BYTES) === to - from
  )
}

function voidHeader(place: DamagedPlace, bodyBytes: number): Buffer {
  const { seal } = place.segment
  const header: RecordHeader = {
    offset: place.from,
    type: RECORD_VOID,
    bodyBytes,
    events: 0,
    id: place.id,
    firstSequence: place.nextSequence,
    appendedAtMs: place.appendedAtMs,
    frontier: 0,
    bodyCrc: bodyChecksum(Buffer.alloc(bodyBytes), seal),
  }
  const bytes = Buffer.alloc(RECORD_HEADER_BYTES)
  writeRecordHeader(bytes, 0, seal, header)
  return bytes
}
