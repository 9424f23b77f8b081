import { basename } from 'node:path'
import { LogError, messageOf } from '@millrace/runtime'
import { nodeDisk } from '../disk/node-disk.js'
import { runAsync } from '../disk/steps.js'
import { CHECKPOINT_FILE, inDirectory } from '../layout.js'
import { Log } from '../log.js'
import { type DirectoryLock, lockBySocket, takeAll, withoutLock } from '../owner/owner-lock.js'
import type { Consumer } from '../reading/consumer.js'
import { CheckpointFile } from '../recovery/checkpoint-file.js'
import { ensureDirectory } from '../recovery/directories.js'
import type { Finding } from '../recovery/finding.js'
import { Quarantine } from '../recovery/quarantine.js'
import { type Planned, planRepair, type RepairAction } from './repair-plan.js'
import { type LogPlace, type Survey, surveyLog } from './survey.js'
import { type LogVerification, verifyLog } from './verify-log.js'
import { canBeVoid, type DamagedPlace, damagedPlaces, voidDamage } from './void-damage.js'

export interface RepairReport {
  /** False: nothing was changed. */
  readonly isApplied: boolean
  readonly actions: readonly RepairAction[]
  /** What was found before. */
  readonly before: LogVerification
  /** What was found afterwards, when something was changed. */
  readonly after?: LogVerification
}

export interface RepairOptions {
  /** Whether to do it; else what would be done is only found out. */
  readonly apply: boolean
  /** Names of the consumers of a log that has lost all positions. */
  readonly consumers?: readonly string[]
  readonly signal?: AbortSignal
}

/**
 * Makes a log whole again: does what opening does, replaces damaged bytes, gives up what is gone, and sets
 * aside files that stand in the way. Whatever it takes away it keeps a copy of, in a `quarantine` directory.
 * @throws LogError `MILLRACE_LOG_IN_USE` when a process has the log open. Throws as {@link surveyLog}.
 */
export async function repairLog(place: LogPlace, options: RepairOptions): Promise<RepairReport> {
  const { disk = nodeDisk, checkpointDirectory } = place
  const given = options.signal ? { signal: options.signal } : {}
  const survey = await surveyLog(place, options.signal)
  if (survey.owner !== undefined) throw inUse(place, survey.owner)
  const before = await verifyLog(place, given)
  const plan = planRepair(survey, before)
  const isApplied = options.apply && plan.length > 0
  if (!isApplied) return { isApplied, actions: plan.map(({ action }) => action), before }
  await runAsync(ensureDirectory(disk, checkpointDirectory))
  const directories = [checkpointDirectory]
  for (const directory of place.dataDirectories) {
    if (await disk.stat(directory)) directories.push(directory)
  }
  const lock = await takeAll(disk === nodeDisk ? lockBySocket : withoutLock, directories)
  try {
    const actions = await new Repair({ ...place, disk }, survey, options).run(plan)
    // The owner that the tools find now is this process.
    const after = { ...(await verifyLog(place, given)), owner: undefined }
    return { isApplied, actions, before, after }
  } finally {
    lock.release()
  }
}

function inUse({ checkpointDirectory }: LogPlace, owner: string): LogError {
  const who = owner === '' ? 'another process' : `process ${owner}`
  return new LogError('MILLRACE_LOG_IN_USE', `${checkpointDirectory} is in use by ${who}`)
}

type Outcome = Pick<RepairAction, 'copy' | 'failure'>

class Repair {
  readonly #place: Required<LogPlace>
  readonly #survey: Survey
  readonly #options: RepairOptions
  /** What opening the log found. */
  #opened: Promise<readonly Finding[]> | undefined
  #damages: Promise<readonly DamagedPlace[]> | undefined

  constructor(place: Required<LogPlace>, survey: Survey, options: RepairOptions) {
    this.#place = place
    this.#survey = survey
    this.#options = options
  }

  /** A failure is part of the answer; what can be done is. */
  async run(plan: readonly Planned[]): Promise<RepairAction[]> {
    const done: RepairAction[] = []
    for (const planned of plan) {
      try {
        done.push({ ...planned.action, ...(await this.#do(planned)) })
      } catch (error) {
        done.push({ ...planned.action, failure: messageOf(error) })
      }
    }
    return done
  }

  async #do({ action, from, how }: Planned): Promise<Outcome> {
    if (how === 'checkpoint') return this.#giveUpDirectories()
    if (how === 'move') return this.#setAside(action.path)
    this.#opened ??= this.#open()
    const findings = await this.#opened
    if (how === 'open') return copyIn(findings, action)
    this.#damages ??= surveyLog(this.#place).then((survey) => damagedPlaces(survey))
    const place = (await this.#damages).find(
      (each) => each.segment.file.path === action.path && each.from === from,
    )
    // What was damaged in the end of the log has been cut.
    return place ? this.#replace(place) : {}
  }

  /** Writes a checkpoint that knows only the directories that are there; the old one is kept. */
  async #giveUpDirectories(): Promise<Outcome> {
    const { checkpoint, directories, options } = this.#survey
    const { checkpointDirectory, disk } = this.#place
    if (!checkpoint) return { failure: 'There is no checkpoint' }
    const { generation } = checkpoint
    const quarantine = new Quarantine(disk, { ...options, dataDirectories: [checkpointDirectory] })
    const path = inDirectory(checkpointDirectory, CHECKPOINT_FILE)
    const name = `${CHECKPOINT_FILE}.${generation}`
    const copy = await runAsync(quarantine.copyFile({ path, directory: 0 }, name))
    const directoryIds = directories.flatMap(({ id }) => (id === undefined ? [] : [id]))
    const file = await runAsync(CheckpointFile.open(disk, checkpointDirectory, generation))
    try {
      for (let slot = 0; slot < 2; slot += 1) {
        await runAsync(file.write({ ...checkpoint, directoryIds, isClosed: false }))
      }
    } finally {
      file.closeSync()
    }
    return { copy }
  }

  async #setAside(path: string): Promise<Outcome> {
    const { disk, files, options } = this.#survey
    const file = files.find((each) => each.file.path === path)?.file
    if (!file) return { failure: 'It is not there any more' }
    return { copy: await runAsync(new Quarantine(disk, options).setAside(file, basename(path))) }
  }

  /** Opens the log, which repairs its end, and reads it, which notes what is lost. */
  async #open(): Promise<readonly Finding[]> {
    const { options, recovered } = this.#survey
    const names = recovered.cursors.map(({ consumer }) => consumer)
    const held: DirectoryLock = { release() {} }
    const log = await Log.open({
      checkpointDirectory: this.#place.checkpointDirectory,
      dataDirectories: this.#place.dataDirectories,
      consumers: names.length > 0 ? names : (this.#options.consumers ?? ['all']),
      segmentBytes: options.segmentBytes,
      // Segments that are done may be retained by whoever owns the log.
      retention: { ms: Number.POSITIVE_INFINITY },
      disk: this.#place.disk,
      // It is ours already.
      lock: { take: async () => held, takeSync: () => held },
    })
    try {
      for (const name of names) await readThrough(log.consumer(name), this.#options.signal)
      return log.recovery.findings
    } finally {
      await log.close()
    }
  }

  async #replace(place: DamagedPlace): Promise<Outcome> {
    if (!canBeVoid(place)) return { failure: 'The place is too small for a record' }
    const copy = await voidDamage(this.#survey, place)
    return copy === undefined ? { failure: 'There is no room for a copy' } : { copy }
  }
}

function copyIn(findings: readonly Finding[], { kind, path }: RepairAction): Outcome {
  const copy = findings.find((each) => each.kind === kind && each.path === path)?.copy
  return copy === undefined ? {} : { copy }
}

/** How often a place that can't be read is tried: the consumer takes it for damaged then. */
const READ_ATTEMPTS = 10
const READ_BYTES = 1024 ** 2

async function readThrough(consumer: Consumer, signal?: AbortSignal): Promise<void> {
  let failures = 0
  for (;;) {
    signal?.throwIfAborted()
    try {
      if ((await consumer.read({ maxBytes: READ_BYTES })).length === 0) return
      failures = 0
    } catch (error) {
      failures += 1
      if (failures === READ_ATTEMPTS) throw error
    }
  }
}
