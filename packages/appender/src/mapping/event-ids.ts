import { randomFillSync } from 'node:crypto'

/** Length of an id in UUID text form. */
export const EVENT_ID_LENGTH = 36
/** How many characters at an id's end count; the ones in front are the same for one mapper. */
export const EVENT_ID_COUNTED = 12

const HEX = '0123456789abcdef'
const ZERO = 0x30
const NINE = 0x39
const A = 0x61
const F = 0x66

/**
 * The ids and sequence numbers of one mapper's events.
 *
 *     id := xxxxxxxx-xxxx-8xxx-Vxxx-cccccccccccc    a UUID of version 8 (RFC 9562): 74 random bits
 *                                                   drawn once, then the sequence number in hex
 *
 * Both numbers are kept as digits and counted up in place: one carry in sixteen costs less than
 * turning a number into text for every event.
 */
export class EventIds {
  /** The first 24 characters of every id. */
  readonly prefix: string
  readonly #hex = new Uint8Array(EVENT_ID_COUNTED).fill(ZERO)
  readonly #decimal = new Uint8Array(16).fill(ZERO)
  #digits = 1
  #sequence = 0

  constructor(random: Uint8Array = randomFillSync(new Uint8Array(10))) {
    let text = ''
    for (const byte of random) text += `${HEX[byte >> 4]}${HEX[byte & 15]}`
    const variant = HEX[8 | (((random[6] ?? 0) >> 4) & 3)]
    this.prefix = `${text.slice(0, 8)}-${text.slice(8, 12)}-8${text.slice(13, 16)}-${variant}${text.slice(17, 20)}-`
  }

  /** Goes on to the next event. */
  advance(): void {
    this.#sequence += 1
    const hex = this.#hex
    for (let at = EVENT_ID_COUNTED - 1; at >= 0; at -= 1) {
      const digit = hex[at] as number
      if (digit !== F) {
        hex[at] = digit === NINE ? A : digit + 1
        break
      }
      hex[at] = ZERO
    }
    const decimal = this.#decimal
    for (let at = 15; at >= 0; at -= 1) {
      const digit = decimal[at] as number
      if (digit !== NINE) {
        decimal[at] = digit + 1
        if (16 - at > this.#digits) this.#digits = 16 - at
        break
      }
      decimal[at] = ZERO
    }
  }

  /** Number of digits of the sequence number. */
  get digits(): number {
    return this.#digits
  }

  /** Writes the counted end of the id. */
  writeCounted(target: Uint8Array, position: number): void {
    const hex = this.#hex
    for (let i = 0; i < EVENT_ID_COUNTED; i += 1) target[position + i] = hex[i] as number
  }

  /** Writes the sequence number's {@link EventIds.digits}. */
  writeSequence(target: Uint8Array, position: number): void {
    const decimal = this.#decimal
    const first = 16 - this.#digits
    for (let i = first; i < 16; i += 1) target[position + i - first] = decimal[i] as number
  }

  /** The current id. */
  id(): string {
    return this.prefix + this.#sequence.toString(16).padStart(EVENT_ID_COUNTED, '0')
  }

  /** The current sequence number; the first event's is 1. */
  sequence(): number {
    return this.#sequence
  }
}
