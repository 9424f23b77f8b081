import { seededRandom } from '@millrace/runtime'

/** Draws that depend on a seed alone. */
export class Choice {
  readonly random: () => number

  constructor(seed: number) {
    this.random = seededRandom(seed)
  }

  /** A whole number from `from` up to and with `to`. */
  int(from: number, to: number): number {
    return from + Math.floor(this.random() * (to - from + 1))
  }

  /** A whole number from 1 to `to`, small ones as likely as large ones. */
  upTo(to: number): number {
    return Math.max(1, Math.floor(Math.exp(this.random() * Math.log(to + 1))))
  }

  chance(probability: number): boolean {
    return this.random() < probability
  }

  of<T>(values: readonly T[]): T {
    return values[this.int(0, values.length - 1)] as T
  }

  /** One of the keys, as likely as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][]
    let left = this.random() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [key, weight] of entries) {
      left -= weight
      if (left < 0) return key
    }
    return (entries.at(-1) as [K, number])[0]
  }

  seed(): number {
    return this.int(1, 2 ** 31)
  }
}
