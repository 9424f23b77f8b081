/** TLS of sources that listen, under Flume's keys. */
import type { SecureContextOptions } from 'node:tls'
import { option, type Problem } from '@millrace/component'
import { protocolProblems, type TlsLists } from './protocols.js'
import { ServerTls } from './tls-files.js'
import { serverKeystoreOptions, storeTypeProblems, tlsListOptions } from './tls-options.js'

export const listenerTlsOptions = {
  ssl: option.bool('ssl', { description: 'Speaks TLS.', default: false }),
  ...serverKeystoreOptions,
  ...tlsListOptions,
}

export interface ListenerTls extends TlsLists {
  readonly ssl: boolean
  readonly keystore: string | undefined
  readonly keystorePassword: string | undefined
  readonly keystoreType: string | undefined
}

/** What is wrong with the keys together. */
export function listenerTlsProblems(options: ListenerTls): readonly Problem[] {
  if (!options.ssl) return []
  const missing: Problem = {
    key: 'keystore',
    code: 'MILLRACE_CONFIG_MISSING',
    message: 'is needed with ssl = true',
  }
  return [
    ...(options.keystore === undefined ? [missing] : []),
    ...storeTypeProblems('keystore-type', options.keystoreType),
    ...protocolProblems(options),
  ]
}

/**
 * Reads the key store; undefined without `ssl`.
 * @throws LifecycleError when it cannot be used.
 */
export async function readListenerTls(
  options: ListenerTls,
): Promise<SecureContextOptions | undefined> {
  if (!options.ssl) return undefined
  const stores = { ...options, truststore: undefined, truststorePassword: undefined }
  const { clientAuth: _, ...tls } = await new ServerTls({ ...stores, clientAuth: 'none' }).read()
  return tls as SecureContextOptions
}
