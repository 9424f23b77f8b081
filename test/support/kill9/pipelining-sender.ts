/** A client that has several batches on their way and writes to a file what was acknowledged. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { EventBatch } from '@millrace/event'
import type { Random } from '@millrace/runtime'
import { firstFrame, laterFrame } from '../avro-frames.js'

export interface PipeliningSenderOptions {
  /** One word; the first one of each body. */
  readonly name: string
  readonly port: number
  /** Its record of acknowledged events: a line `FIRST COUNT` for each batch, in order of the answers. */
  readonly recordFile: string
  readonly random: Random
  /** Most batches on their way. Default 4. */
  readonly window?: number
  /** Most events of a batch. Default 40. */
  readonly batchSize?: number
  readonly onSend?: (call: SentCall) => void
}

export interface SentCall {
  /** Port of this end of the connection. */
  readonly localPort: number
  readonly serial: number
  /** Body of the batch's first event up to its padding, which no other event has. */
  readonly marker: string
}

interface Sent {
  readonly first: number
  readonly batch: EventBatch
  attempts: number
}

/** Between a lost connection and the next one, in milliseconds. */
const RECONNECT_MS = 20
/** Longest pause in front of a batch, in milliseconds. */
const MOST_PAUSE_MS = 6
/** A body ends with this, so that one that was cut is not taken for a shorter number. */
export const BODY_END = '.'

/** Length of the answer that begins at `start`, or -1 when it is not whole. */
function answerEnd(bytes: Buffer, start: number): number {
  if (bytes.length - start < 8) return -1
  let at = start + 8
  for (let left = bytes.readInt32BE(start + 4); left > 0; left -= 1) {
    if (at + 4 > bytes.length) return -1
    at += 4 + bytes.readInt32BE(at)
    if (at > bytes.length) return -1
  }
  return at
}

/**
 * Numbers its events from 0 and sends them until it is stopped. What was not acknowledged when a
 * connection is lost is sent again, in order, before anything new.
 */
export class PipeliningSender {
  readonly name: string
  /** Events given a number so far. */
  sent = 0
  /** Copies that this sender itself may have made: events in batches sent again, each time. */
  resentEvents = 0
  /** Answers other than OK. */
  refusals = 0
  acknowledged = 0
  readonly #options: PipeliningSenderOptions
  readonly #record: number
  /** Not acknowledged yet, in order. */
  #unanswered: Sent[] = []
  #isStopping = false
  #running: Promise<void> = Promise.resolve()

  constructor(options: PipeliningSenderOptions) {
    this.#options = options
    this.name = options.name
    this.#record = openSync(options.recordFile, 'a')
  }

  start(): this {
    this.#running = this.#run()
    return this
  }

  /** Sends nothing new, and ends when everything sent was acknowledged. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#running
    closeSync(this.#record)
  }

  async #run(): Promise<void> {
    while (!this.#isStopping || this.#unanswered.length > 0) {
      await this.#runConnection()
      await pause(RECONNECT_MS)
    }
  }

  /** One connection, from the batches that have no answer yet until it is lost or everything is done. */
  async #runConnection(): Promise<void> {
    const socket = createConnection({ port: this.#options.port, host: '127.0.0.1', noDelay: true })
    let serial = 0
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    socket.on('error', () => socket.destroy())
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('close', () => resolve(false))
    })
    if (!isOpen) return
    this.#readAnswers(socket)
    const send = (sent: Sent) => {
      serial += 1
      if (sent.attempts > 0) this.resentEvents += sent.batch.size
      sent.attempts += 1
      const marker = `${this.name} ${sent.first} `
      this.#options.onSend?.({ localPort: socket.localPort ?? 0, serial, marker })
      socket.write(serial === 1 ? firstFrame(sent.batch, 1) : laterFrame(sent.batch, serial))
    }
    for (const sent of this.#unanswered) send(sent)
    const { random, window = 4 } = this.#options
    while (!socket.destroyed && !(this.#isStopping && this.#unanswered.length === 0)) {
      if (!this.#isStopping && this.#unanswered.length < window) send(this.#next())
      await pause(random() * MOST_PAUSE_MS)
    }
    socket.destroy()
    await closed
  }

  #next(): Sent {
    const { random, batchSize = 40 } = this.#options
    const first = this.sent
    const count = 1 + Math.floor(random() * batchSize)
    this.sent += count
    const events = Array.from({ length: count }, (_, i) => ({
      headers: { sender: this.name },
      body: `${this.name} ${first + i} ${'x'.repeat(Math.floor(random() * 120))}${BODY_END}`,
    }))
    const sent = { first, batch: EventBatch.of(events), attempts: 0 }
    this.#unanswered.push(sent)
    return sent
  }

  #readAnswers(socket: Socket): void {
    let pending: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      pending = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk
      let at = 0
      for (let end = answerEnd(pending, 0); end >= 0; end = answerEnd(pending, at)) {
        if (!this.#answered(pending.subarray(at, end))) {
          this.refusals += 1
          socket.destroy()
          return
        }
        at = end
      }
      pending = pending.subarray(at)
    })
  }

  /** Answers come in the order of the calls. Gives false for one that is not OK. */
  #answered(answer: Buffer): boolean {
    if (answer[answer.length - 1] !== 0 || answer[answer.length - 2] !== 0) return false
    const sent = this.#unanswered.shift()
    if (!sent) throw new Error(`${this.name}: an answer to nothing`)
    this.acknowledged += sent.batch.size
    writeSync(this.#record, `${sent.first} ${sent.batch.size}\n`)
    return true
  }
}
