import { isIPv6 } from 'node:net'
import { OptionError } from '@millrace/runtime'
import { integer, isPlainObject, type OptionCheck, show } from './option-check.js'

/** A receiver. The order of the list is the priority of `strategy: 'failover'`. */
export interface HostAddress {
  readonly host: string
  readonly port: number
  /** Share of the batches under `strategy: 'weighted'`. */
  readonly weight: number
}

/** A name or an IPv4 address: what a resolver is asked for, so no scheme, path, port or blank. */
const HOST_NAME = /^[^\s:[\]/@?#,;]+$/

const portCheck = integer({ default: 0, min: 1, max: 65_535 })
const weightCheck = integer({ default: 1, min: 1, max: 1_000_000 })

/** `['host:port', { host, port, weight }, …]`, or Flume's form `'h1:p1 h2:p2'`. */
export function hostList(): OptionCheck<readonly HostAddress[]> {
  return (value, name) => {
    if (value === undefined) throw new OptionError(`${name} is missing: name at least one receiver`)
    const list = typeof value === 'string' ? value.split(/\s+/).filter((part) => part) : value
    if (!Array.isArray(list) || list.length === 0) {
      throw new OptionError(
        `${name} must be a list of 'host:port' with at least one, not ${show(value)}`,
      )
    }
    const hosts = list.map((item: unknown, index) => hostAddress(item, `${name}[${index}]`))
    const seen = new Set<string>()
    for (const host of hosts) {
      const address = hostName(host)
      if (seen.has(address)) throw new OptionError(`${name} names ${address} twice`)
      seen.add(address)
    }
    return hosts
  }
}

/** `host:port`, an IPv6 address in brackets. */
export function hostName(address: { readonly host: string; readonly port: number }): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `${host}:${address.port}`
}

function hostAddress(item: unknown, name: string): HostAddress {
  if (typeof item === 'string') return parseHost(item, name)
  if (!isPlainObject(item)) {
    throw new OptionError(
      `${name} must be 'host:port' or { host, port, weight }, not ${show(item)}`,
    )
  }
  for (const key of Object.keys(item)) {
    if (!['host', 'port', 'weight'].includes(key)) {
      throw new OptionError(`Unknown option ${name}.${key}`)
    }
  }
  const { host, port, weight } = item
  if (typeof host !== 'string' || !(isIPv6(host) || HOST_NAME.test(host))) {
    throw new OptionError(`${name}.host must be a host name or address, not ${show(host)}`)
  }
  if (port === undefined) throw new OptionError(`${name}.port is missing`)
  return {
    host,
    port: portCheck(port, `${name}.port`),
    weight: weightCheck(weight, `${name}.weight`),
  }
}

function parseHost(text: string, name: string): HostAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  const [, address, hostName] = match ?? []
  const host = address ?? hostName
  const isValid = address === undefined ? HOST_NAME.test(hostName ?? '') : isIPv6(address)
  if (!match || host === undefined || !isValid) {
    throw new OptionError(`${name} must have the form 'host:port', not ${show(text)}`)
  }
  return { host, port: portCheck(Number(match[3]), name), weight: 1 }
}
