const MIN_SLOTS = 16
/** A ring of at most so many slots is kept, however empty it is. */
const KEPT_SLOTS = 1_024

/** A double-ended list in a ring: every operation costs O(1), amortised over its growth. */
export class Deque<T> {
  #slots: (T | undefined)[] = Array.from({ length: MIN_SLOTS })
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The first item, which stays. */
  peek(): T | undefined {
    return this.#slots[this.#head]
  }

  push(item: T): void {
    this.#makeRoom()
    this.#slots[(this.#head + this.#size) & (this.#slots.length - 1)] = item
    this.#size += 1
  }

  unshift(item: T): void {
    this.#makeRoom()
    this.#head = (this.#head - 1) & (this.#slots.length - 1)
    this.#slots[this.#head] = item
    this.#size += 1
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined
    const item = this.#slots[this.#head]
    this.#slots[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#slots.length - 1)
    this.#size -= 1
    // A burst must not keep its memory for ever.
    if (this.#slots.length > KEPT_SLOTS && this.#size * 8 < this.#slots.length) {
      this.#resize(this.#slots.length / 2)
    }
    return item
  }

  #makeRoom(): void {
    if (this.#size === this.#slots.length) this.#resize(this.#slots.length * 2)
  }

  #resize(length: number): void {
    const slots: (T | undefined)[] = Array.from({ length })
    for (let i = 0; i < this.#size; i += 1) {
      slots[i] = this.#slots[(this.#head + i) & (this.#slots.length - 1)]
    }
    this.#slots = slots
    this.#head = 0
  }
}
