import { Page } from './page.js'

/** Pages kept for another use: enough for a stream, little for a quiet process. */
const MAX_SPARE_PAGES = 4
const FIRST_PAGE_BYTES = 64 * 1_024

/** Makes pages, and uses those again whose events are all settled. */
export class PageStore {
  readonly #pageBytes: number
  readonly #spare: Page[] = []
  #made = 0

  constructor(pageBytes: number) {
    this.#pageBytes = pageBytes
  }

  /** A page with room for at least `bytes`. */
  open(bytes: number): Page {
    if (bytes <= this.#pageBytes) {
      const spare = this.#spare.pop()
      if (spare) return spare
    }
    // A process that logs little stays small: only the second page is a full one.
    const usual = this.#made === 0 ? Math.min(FIRST_PAGE_BYTES, this.#pageBytes) : this.#pageBytes
    this.#made += 1
    return new Page(Math.max(usual, bytes))
  }

  /**
   * Gives a page back that nobody uses any more.
   * @param isClean whether each of its batches was acknowledged at the first try; else a dead
   * connection might still hold its bytes, and they must not change.
   */
  giveBack(page: Page, isClean: boolean): void {
    const isUsual = page.writer.buffer.length === this.#pageBytes
    if (!isClean || !isUsual || this.#spare.length >= MAX_SPARE_PAGES) return
    page.reset()
    this.#spare.push(page)
  }
}
