import type { Random } from '@millrace/runtime'

/** Work that a call asked for and that has not been done yet. */
export interface Job {
  /** Does it and settles the caller's promise. */
  run(): void
  /** Does a part of it, unseen by the caller: the power went off meanwhile. */
  runPart(share: number): void
}

/** Does jobs one by one, in an order and in turns of the event loop that depend on a seed. */
export class SeededTurns {
  readonly #random: Random
  #jobs: Job[] = []
  #isArmed = false

  constructor(random: Random) {
    this.#random = random
  }

  add(job: Job): void {
    this.#jobs.push(job)
    this.#arm()
  }

  /** Stops for good and hands out what was not done, in random order. */
  stop(): Job[] {
    const jobs: Job[] = []
    while (this.#jobs.length > 0) {
      const job = this.#draw()
      if (job) jobs.push(job)
    }
    return jobs
  }

  #arm(): void {
    if (this.#isArmed || this.#jobs.length === 0) return
    this.#isArmed = true
    const turn = () => {
      this.#isArmed = false
      this.#draw()?.run()
      this.#arm()
    }
    if (this.#random() < 0.5) queueMicrotask(turn)
    else if (this.#random() < 0.7) setImmediate(turn)
    else setImmediate(() => setImmediate(turn))
  }

  #draw(): Job | undefined {
    return this.#jobs.splice(Math.floor(this.#random() * this.#jobs.length), 1)[0]
  }
}
