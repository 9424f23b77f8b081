import { OptionError } from '@millrace/runtime'

/** Where an agent listens. */
export interface HostAddress {
  readonly host: string
  readonly port: number
}

/**
 * Reads `host:port`; an IPv6 address stands in brackets (Flume knows none).
 * @throws OptionError when it is neither.
 */
export function parseHostAddress(text: string): HostAddress {
  const match = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text.trim())
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || port < 1 || port > 65_535) {
    throw new OptionError(`"${text}" is not host:port with a port from 1 to 65535`)
  }
  return { host, port }
}

/**
 * Reads Flume's `hosts = h1 h2` with `hosts.h1 = host:port`, in the order of the list.
 * @throws OptionError when there are none, or one has no address.
 */
export function parseHosts(properties: Readonly<Record<string, string>>): HostAddress[] {
  const aliases = (properties['hosts'] ?? '').split(/\s+/).filter((alias) => alias !== '')
  if (aliases.length === 0) throw new OptionError('hosts is empty: it must name at least one host')
  return aliases.map((alias) => {
    const address = properties[`hosts.${alias}`]
    if (address === undefined)
      throw new OptionError(`hosts names "${alias}", hosts.${alias} is missing`)
    return parseHostAddress(address)
  })
}

export function formatHostAddress({ host, port }: HostAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
