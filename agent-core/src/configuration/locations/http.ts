/** Configurations from a web server: conditional requests, basic authentication, limits. */
import { ConfigurationError, messageOf } from '@millrace/runtime'

/** How long an answer may take, in milliseconds. */
const TIMEOUT_MS = 30_000
/** Longest answer, in bytes. */
const MAX_BODY_BYTES = 16 * 1024 * 1024

export interface BasicCredentials {
  readonly user: string
  readonly password: string
}

/** What tells two versions apart, as the server said it. */
export interface Validators {
  readonly etag: string | undefined
  readonly lastModified: string | undefined
}

export type Fetched =
  | { readonly isNew: false }
  | { readonly isNew: true; readonly body: Buffer; readonly validators: Validators }

/**
 * One GET, with what is known of the last answer.
 * @throws ConfigurationError `MILLRACE_CONFIG_UNREADABLE` for everything but 200 and 304.
 */
export async function fetchIfNew(
  address: string,
  known: Validators | undefined,
  credentials?: BasicCredentials,
): Promise<Fetched> {
  const headers = new Headers()
  if (known?.etag !== undefined) headers.set('if-none-match', known.etag)
  if (known?.lastModified !== undefined) headers.set('if-modified-since', known.lastModified)
  if (credentials) {
    const pair = Buffer.from(`${credentials.user}:${credentials.password}`)
    headers.set('authorization', `Basic ${pair.toString('base64')}`)
  }
  const shown = withoutPassword(address)
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const response = await fetch(address, { headers, signal })
    if (response.status === 304 && known) return { isNew: false }
    if (response.status !== 200) {
      await response.body?.cancel()
      throw unreadable(shown, `the server answered ${response.status}`)
    }
    const body = await bodyOf(response, shown)
    const etag = response.headers.get('etag') ?? undefined
    const lastModified = response.headers.get('last-modified') ?? undefined
    return { isNew: true, body, validators: { etag, lastModified } }
  } catch (error) {
    if (error instanceof ConfigurationError) throw error
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    throw unreadable(shown, messageOf(cause))
  }
}

/** @throws ConfigurationError `MILLRACE_CONFIG_UNREADABLE`. */
export async function fetchText(address: string): Promise<Buffer> {
  const fetched = await fetchIfNew(address, undefined)
  return fetched.isNew ? fetched.body : Buffer.alloc(0)
}

async function bodyOf(response: Response, shown: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    const bytes = chunk as Uint8Array
    length += bytes.length
    if (length > MAX_BODY_BYTES)
      throw unreadable(shown, `it is longer than ${MAX_BODY_BYTES} bytes`)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

/** An address as logs and findings show it. */
export function withoutPassword(address: string): string {
  return address.replace(/^(https?:\/\/)[^/@]*@/i, '$1')
}

function unreadable(address: string, why: string): ConfigurationError {
  const message = `The configuration ${address} cannot be read: ${why}`
  return new ConfigurationError('MILLRACE_CONFIG_UNREADABLE', message)
}
