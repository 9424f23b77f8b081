/** Keys about TLS that several components share, under Flume's names. */
import { type OptionSpec, option, type Problem } from '@millrace/component'

const LATER = 'this version chooses protocols and ciphers as Node does'

/** Lists of protocols and ciphers: known to Flume, refused by name. */
export const tlsListOptions = {
  excludeProtocols: option.list('exclude-protocols', {
    description: 'TLS protocols to refuse.',
    default: 'SSLv3',
    unsupported: LATER,
  }),
  includeProtocols: option.list('include-protocols', {
    description: 'The only TLS protocols to allow.',
    unsupported: LATER,
  }),
  excludeCipherSuites: option.list('exclude-cipher-suites', {
    description: 'Cipher suites to refuse.',
    unsupported: LATER,
  }),
  includeCipherSuites: option.list('include-cipher-suites', {
    description: 'The only cipher suites to allow.',
    unsupported: LATER,
  }),
}

/**
 * The key that names a store's format. Flume's default is JKS, which is what `millrace components`
 * prints; code gets undefined when the key is not set, and then the file itself must be PEM.
 */
export function storeTypeOption(
  key: 'keystore-type' | 'truststore-type',
  shownDefault: 'JKS' | 'PEM',
): OptionSpec<string | undefined> {
  const what = key === 'keystore-type' ? 'key store' : 'trust store'
  return option.string(key, {
    description: `Format of the ${what}. Only PEM so far.`,
    shownDefault,
  })
}

/** Refuses by name every store format but PEM. */
export function storeTypeProblems(key: string, type: string | undefined): readonly Problem[] {
  if (type === undefined || type.toUpperCase() === 'PEM') return []
  return [
    {
      key,
      code: 'MILLRACE_CONFIG_UNSUPPORTED',
      message: `${type} stores cannot be read yet: convert the store to PEM and set ${key} = PEM`,
    },
  ]
}
