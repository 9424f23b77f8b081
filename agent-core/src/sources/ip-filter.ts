/**
 * Which peers may connect (`ipFilter`, `ipFilterRules`), by Flume's rules:
 *
 *     rule    := ("allow" | "deny") ":" ("ip" | "name") ":" pattern
 *     pattern := text in which "*" is any run of characters and "?" one; it matches the whole
 *
 * The first rule that matches decides; a peer that none matches may connect. `name:localhost` means
 * an address of this machine.
 */
import { Resolver } from 'node:dns/promises'
import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { ConfigurationError, withDeadline } from '@millrace/runtime'

/** How long the names of one address may take, in milliseconds; after it the address has none. */
const LOOKUP_TIMEOUT_MS = 2_000

export interface IpFilterHost {
  /** The names of an address; none when it has none. */
  namesOf(address: string): Promise<readonly string[]>
  /** The addresses of this machine. */
  localAddresses(): readonly string[]
}

export interface IpFilterRule {
  readonly isAllowed: boolean
  readonly of: 'ip' | 'name' | 'local'
  readonly pattern: RegExp
}

const IPV4_IN_IPV6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** The rules of one source. */
export class IpFilter {
  readonly #rules: readonly IpFilterRule[]
  readonly #host: IpFilterHost

  /** @throws ConfigurationError when a rule cannot be read. */
  constructor(rules: readonly string[], host: IpFilterHost = systemHost) {
    this.#rules = rules.map(parseRule)
    this.#host = host
  }

  /** Whether the peer may connect. Names are looked up only when a rule on names is reached. */
  async accepts(remoteAddress: string): Promise<boolean> {
    const address = plainAddress(remoteAddress)
    let names: readonly string[] | undefined
    for (const rule of this.#rules) {
      if (rule.of === 'local') {
        const isLocal = address.startsWith('127.') || this.#host.localAddresses().includes(address)
        if (isLocal) return rule.isAllowed
      } else if (rule.of === 'ip') {
        if (spellings(address).some((each) => rule.pattern.test(each))) return rule.isAllowed
      } else {
        names ??= await this.#namesOf(address)
        if (names.some((name) => rule.pattern.test(name))) return rule.isAllowed
      }
    }
    return true
  }

  /** As in Java, an address without a name has its text as its name. */
  async #namesOf(address: string): Promise<readonly string[]> {
    const names = await this.#host.namesOf(address)
    return names.length > 0 ? names : [address]
  }
}

/** @throws ConfigurationError when the rule cannot be read. */
export function parseRule(text: string): IpFilterRule {
  const match = /^(allow|deny):(ip|name):(.+)$/.exec(text)
  const [, verdict, of, pattern] = match ?? []
  if (verdict === undefined || of === undefined || pattern === undefined) {
    const message = `${text} is no rule: <allow|deny>:<ip|name>:<pattern> is expected`
    throw new ConfigurationError('MILLRACE_CONFIG_INVALID', message)
  }
  return {
    isAllowed: verdict === 'allow',
    of: of === 'ip' ? 'ip' : pattern === 'localhost' ? 'local' : 'name',
    pattern: wildcard(pattern),
  }
}

function wildcard(pattern: string): RegExp {
  const parts = Array.from(pattern, (char) => {
    if (char === '*') return '.*'
    return char === '?' ? '.' : char.replace(/[\\^$.|+()[\]{}/-]/, '\\$&')
  })
  return new RegExp(`^${parts.join('').replaceAll(/(?:\.\*)+/g, '.*')}$`)
}

/** Without an interface's name; an IPv4 address in IPv6 clothes as the IPv4 address. */
function plainAddress(address: string): string {
  const [plain = address] = address.split('%')
  return IPV4_IN_IPV6.exec(plain)?.[1] ?? plain
}

/** An IPv6 address is written short (`::1`) by Node and in full (`0:0:0:0:0:0:0:1`) by Java. */
function spellings(address: string): readonly string[] {
  if (!isIPv6(address)) return [address]
  const [head = '', tail] = address.split('::')
  const groupsOf = (part: string) => (part === '' ? [] : part.split(':'))
  const front = groupsOf(head)
  const back = tail === undefined ? [] : groupsOf(tail)
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0')
  return [address, [...front, ...zeros, ...back].join(':')]
}

const systemHost: IpFilterHost = {
  async namesOf(address) {
    const resolver = new Resolver({ timeout: LOOKUP_TIMEOUT_MS, tries: 1 })
    try {
      // The resolver's own limit is one per name server.
      return await withDeadline(resolver.reverse(address), LOOKUP_TIMEOUT_MS, () => [])
    } catch {
      // No name, no answer in time, no server: all the same to a rule.
      return []
    }
  },
  localAddresses: () =>
    Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((each) => each.address)),
}
