/** TLS of sources that listen, under Flume's keys. */
import type { SecureContextOptions } from 'node:tls'
import { option, type Problem } from '@millrace/component'
import { readKeyStore } from '@millrace/rpc'
import { LifecycleError, messageOf } from '@millrace/runtime'
import { storeTypeOption, storeTypeProblems, tlsListOptions } from './tls-options.js'

export const listenerTlsOptions = {
  ssl: option.bool('ssl', { description: 'Speaks TLS.', default: false }),
  keystore: option.string('keystore', {
    description: 'PEM file with the private key and the certificate chain.',
  }),
  keystorePassword: option.string('keystore-password', {
    description: 'Password of an encrypted private key.',
    secret: true,
  }),
  keystoreType: storeTypeOption('keystore-type', 'JKS'),
  ...tlsListOptions,
}

export interface ListenerTls {
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
  ]
}

/**
 * Reads the key store; undefined without `ssl`.
 * @throws LifecycleError when it cannot be read.
 */
export function readListenerTls(options: ListenerTls): SecureContextOptions | undefined {
  if (!options.ssl) return undefined
  const { keystore = '', keystorePassword: password } = options
  try {
    const store = readKeyStore(keystore, password === undefined ? {} : { password })
    return {
      ...store,
      key: store.key as SecureContextOptions['key'],
      cert: store.cert as SecureContextOptions['cert'],
      minVersion: 'TLSv1.2',
    }
  } catch (cause) {
    throw new LifecycleError('MILLRACE_LIFECYCLE_START_FAILED', messageOf(cause), { cause })
  }
}
