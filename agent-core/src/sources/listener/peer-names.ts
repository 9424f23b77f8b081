import { isIPv4 } from 'node:net'
import { Resolver } from 'node:dns/promises'
import { withDeadline } from '@millrace/runtime'

/** How long the name of one address may take, in milliseconds; after it the address is its name. */
const LOOKUP_TIMEOUT_MS = 2_000
const MAX_NAMES = 1_000

/** An IPv4 address in IPv6 clothes as the IPv4 address. */
export function plainAddress(address: string | undefined): string {
  const plain = (address ?? '').replace(/^::ffff:/i, '')
  return isIPv4(plain) ? plain : (address ?? '')
}

/** Names of peers, by their addresses. */
export class PeerNames {
  readonly #names = new Map<string, Promise<string>>()

  /** The name of an address, or the address when it has none. */
  nameOf(address: string): Promise<string> {
    const known = this.#names.get(address)
    if (known) return known
    if (this.#names.size >= MAX_NAMES) this.#names.clear()
    const looking = lookUp(address)
    this.#names.set(address, looking)
    return looking
  }
}

async function lookUp(address: string): Promise<string> {
  const resolver = new Resolver({ timeout: LOOKUP_TIMEOUT_MS, tries: 1 })
  try {
    const names = await withDeadline(resolver.reverse(address), LOOKUP_TIMEOUT_MS, () => [])
    return names[0] ?? address
  } catch {
    // No name, no answer, no server: all the same.
    return address
  }
}
