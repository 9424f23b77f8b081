import type { Appender, AppenderState } from '@millrace/appender'

/** The open appenders of this module, so that they can be flushed and closed together. */
export class AppenderRegistry {
  readonly #appenders = new Set<Appender>()

  add(appender: Appender): void {
    this.#appenders.add(appender)
  }

  /** Of each open appender, in the order in which they were made. */
  states(): AppenderState[] {
    return Array.from(this.#appenders, (appender) => appender.state())
  }

  /** True when all that was logged before the call is settled in time. Never rejects. */
  async flush(options: { timeoutMs?: number | undefined }): Promise<boolean> {
    const results = await Promise.all(
      Array.from(this.#appenders, (appender) => appender.flush(options)),
    )
    return results.every(Boolean)
  }

  async close(options: { timeoutMs?: number | undefined }): Promise<void> {
    await Promise.all(Array.from(this.#appenders, (appender) => this.closeOne(appender, options)))
  }

  async closeOne(
    appender: Appender,
    options: { timeoutMs?: number | undefined } = {},
  ): Promise<void> {
    await appender.close(options)
    this.#appenders.delete(appender)
  }
}
