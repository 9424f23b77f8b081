/** Writes the agent's own address. */
import { lookup, lookupService } from 'node:dns/promises'
import { hostname, networkInterfaces } from 'node:os'
import { defineInterceptor, type Interceptor, option } from '@millrace/component'
import type { EventBatch, HeaderEdit } from '@millrace/event'
import { type Logger, withDeadline } from '@millrace/runtime'

/** How long the name service may take, in milliseconds. */
const RESOLVE_TIMEOUT_MS = 2_000

export const hostInterceptor = defineInterceptor({
  alias: 'host',
  classNames: ['org.apache.flume.interceptor.HostInterceptor$Builder'],
  summary: "Writes the agent's address or host name into a header.",
  options: {
    preserveExisting: option.bool('preserveExisting', {
      description: 'Whether an event that has the header keeps its value.',
      default: false,
    }),
    useIP: option.bool('useIP', {
      description: 'Whether the address is written, else the host name.',
      default: true,
    }),
    hostHeader: option.string('hostHeader', {
      description: 'The header to write.',
      default: 'host',
    }),
  },
  create: ({ options: { preserveExisting, useIP, hostHeader }, logger, clock }) =>
    new HostInterceptor({
      edit: { name: hostHeader, preserveExisting },
      resolve: () =>
        withDeadline(useIP ? ownAddress() : ownName(), RESOLVE_TIMEOUT_MS, late, clock),
      logger,
    }),
})

export interface HostInterceptorOptions {
  readonly edit: Omit<HeaderEdit, 'value'>
  /** Finds the address or name; asked once, at the start. */
  readonly resolve: () => Promise<string>
  readonly logger: Logger
}

/** The address is looked up once, at the start. When that fails, nothing is written. */
export class HostInterceptor implements Interceptor {
  readonly #options: HostInterceptorOptions
  #edits: readonly HeaderEdit[] = []

  constructor(options: HostInterceptorOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { edit, resolve, logger } = this.#options
    try {
      this.#edits = [{ ...edit, value: await resolve() }]
    } catch (error) {
      logger.warn('the own host cannot be found; no host header is written', error)
    }
  }

  intercept(batch: EventBatch): EventBatch {
    return batch.withHeaders(this.#edits)
  }
}

function late(): string {
  throw new Error(`No answer from the name service within ${RESOLVE_TIMEOUT_MS} ms`)
}

/** The address that the host name stands for; a loopback one only when there is no other. IPv4 first. */
async function ownAddress(): Promise<string> {
  const resolved = await lookup(hostname(), { all: true }).catch(() => [])
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const candidates = [
    ...resolved.map(({ address, family }) => ({ address, isIpv4: family === 4 })),
    ...own.map(({ address, family }) => ({ address, isIpv4: family === 'IPv4' })),
  ]
  const reachable = candidates.filter(({ address }) => !/^(127\.|::1$|fe80:)/i.test(address))
  const best = reachable.find(({ isIpv4 }) => isIpv4) ?? reachable[0] ?? candidates[0]
  if (!best) throw new Error('The machine has no address')
  return best.address
}

/** The full host name where the name service knows one. */
async function ownName(): Promise<string> {
  const short = hostname()
  try {
    const { address } = await lookup(short)
    const { hostname: name } = await lookupService(address, 0)
    return name === address || name === 'localhost' ? short : name
  } catch {
    return short
  }
}
