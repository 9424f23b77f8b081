/** Keys about TLS that several components share, under Flume's names. */
import { type OptionSpec, option, type Problem } from '@millrace/component'
import { STORE_TYPES } from './stores.js'

/** The setting of the whole agent that a key inherits, under the names of Java and of Flume. */
const inherits = (systemProperty: string, variable: string) => ({
  inherits: { systemProperty, environment: `FLUME_SSL_${variable}` },
})

/** Lists of protocols and cipher suites, under Java's names. */
export const tlsListOptions = {
  excludeProtocols: option.list('exclude-protocols', {
    description: 'TLS protocols to refuse.',
    default: 'SSLv3',
    ...inherits('flume.ssl.exclude.protocols', 'EXCLUDE_PROTOCOLS'),
  }),
  includeProtocols: option.list('include-protocols', {
    description: 'The only TLS protocols to allow, of TLSv1.2 and TLSv1.3.',
    ...inherits('flume.ssl.include.protocols', 'INCLUDE_PROTOCOLS'),
  }),
  excludeCipherSuites: option.list('exclude-cipher-suites', {
    description: 'Cipher suites to refuse.',
    ...inherits('flume.ssl.exclude.cipherSuites', 'EXCLUDE_CIPHERSUITES'),
  }),
  includeCipherSuites: option.list('include-cipher-suites', {
    description: 'The only cipher suites to allow.',
    ...inherits('flume.ssl.include.cipherSuites', 'INCLUDE_CIPHERSUITES'),
  }),
}

/** The key store of a server. */
export const serverKeystoreOptions = {
  keystore: option.string('keystore', {
    description: 'File with the private key and its certificate chain: JKS, PKCS12 or PEM.',
    ...inherits('javax.net.ssl.keyStore', 'KEYSTORE_PATH'),
  }),
  keystorePassword: option.string('keystore-password', {
    description: 'Password of the key store and its key.',
    secret: true,
    ...inherits('javax.net.ssl.keyStorePassword', 'KEYSTORE_PASSWORD'),
  }),
  keystoreType: storeTypeOption('keystore-type', 'JKS', {
    ...inherits('javax.net.ssl.keyStoreType', 'KEYSTORE_TYPE'),
  }),
}

export const truststoreOptions = (description: string, shownType: 'JKS' | 'PEM') => ({
  truststore: option.string('truststore', {
    description,
    ...inherits('javax.net.ssl.trustStore', 'TRUSTSTORE_PATH'),
  }),
  truststorePassword: option.string('truststore-password', {
    description: 'Password of the trust store; a JKS or PEM store needs none.',
    secret: true,
    ...inherits('javax.net.ssl.trustStorePassword', 'TRUSTSTORE_PASSWORD'),
  }),
  truststoreType: storeTypeOption('truststore-type', shownType, {
    ...inherits('javax.net.ssl.trustStoreType', 'TRUSTSTORE_TYPE'),
  }),
})

/**
 * The key that names a store's format. Flume's default is JKS, which is what `millrace components`
 * prints; what counts is what the file itself is.
 */
export function storeTypeOption(
  key: 'keystore-type' | 'truststore-type',
  shownDefault: 'JKS' | 'PEM',
  info: { readonly inherits?: { systemProperty: string; environment: string } } = {},
): OptionSpec<string | undefined> {
  const what = key === 'keystore-type' ? 'key store' : 'trust store'
  return option.string(key, {
    description: `Format of the ${what}: JKS, PKCS12 or PEM. The file itself decides.`,
    shownDefault,
    ...info,
  })
}

/** Refuses by name every store format that is never read. */
export function storeTypeProblems(key: string, type: string | undefined): readonly Problem[] {
  if (type === undefined || STORE_TYPES.includes(type.toUpperCase())) return []
  return [
    {
      key,
      code: 'MILLRACE_CONFIG_UNSUPPORTED',
      message: `${type} stores are not read here; keytool -importkeystore makes a PKCS12 store of one`,
    },
  ]
}
