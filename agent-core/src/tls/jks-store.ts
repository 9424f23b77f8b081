import { createRequire } from 'node:module'
import { messageOf } from '@millrace/runtime'
import type { decrypt, KeyEntry, parseJks } from 'jks-js'
import { pemOf, type StoreContent, type StoredKey } from './stores.js'

/** The library is CommonJS without named exports that Node can see. */
const jks = createRequire(import.meta.url)('jks-js') as {
  readonly parseJks: typeof parseJks
  readonly decrypt: typeof decrypt
}

/**
 * Reads Java's own format. Without a password its checksum is not looked at, as in Java, and keys
 * cannot be opened.
 */
export function readJks(octets: Buffer, password: string | undefined): StoreContent {
  const keys: StoredKey[] = []
  const trusted: string[] = []
  for (const entry of jks.parseJks(octets, password ?? '')) {
    if ('cert' in entry) trusted.push(pemOf('CERTIFICATE', entry.cert.value))
    else keys.push({ open: () => openKey(entry, password ?? ''), certificates: chainOf(entry) })
  }
  return { keys, trusted }
}

const chainOf = (entry: KeyEntry): string[] =>
  entry.chain.map(({ value }) => pemOf('CERTIFICATE', value))

function openKey(entry: KeyEntry, password: string): string {
  try {
    return jks.decrypt(entry.protectedPrivateKey, password)
  } catch (cause) {
    throw new Error(`its key ${entry.alias} does not open: ${messageOf(cause)}`, { cause })
  }
}
