/** Protocols and cipher suites under Java's names, and what Node makes of them. */
import type { Problem } from '@millrace/component'
import { constants } from 'node:crypto'
import { getCiphers } from 'node:tls'

/** What is spoken, in their order. TLS 1.0 and 1.1 are switched off in today's Java too. */
const SPOKEN = ['TLSv1.2', 'TLSv1.3'] as const
/** Names that Java knows and that are never spoken here. */
const UNSPOKEN: readonly string[] = ['SSLv2Hello', 'SSLv3', 'TLSv1', 'TLSv1.1']

export interface TlsLists {
  readonly includeProtocols: readonly string[]
  readonly excludeProtocols: readonly string[]
  readonly includeCipherSuites: readonly string[]
  readonly excludeCipherSuites: readonly string[]
}

/** For Node's `tls`; empty where its defaults hold. */
export interface ChosenProtocols {
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3'
  readonly ciphers?: string
}

/** What is left of `all` after a list of the only ones and a list of those to leave out, as Flume counts. */
const left = <T extends string>(
  all: readonly T[],
  include: readonly string[],
  exclude: readonly string[],
): readonly T[] =>
  all.filter((each) => (include.length === 0 || include.includes(each)) && !exclude.includes(each))

/**
 * OpenSSL's name of a suite that Java names as IANA does, or undefined when Node does not know it.
 * Those of TLS 1.3 have one name; the others follow a rule (`TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`
 * is `ECDHE-RSA-AES128-GCM-SHA256`).
 */
export function opensslSuite(name: string): string | undefined {
  const [, exchange, cipher] = /^(?:TLS|SSL)_(\w+)_WITH_(\w+)$/.exec(name) ?? []
  const translated =
    exchange === undefined || cipher === undefined
      ? name
      : [
          ...(exchange === 'RSA' ? [] : [exchange.replaceAll('_', '-')]),
          cipher
            .replace(/^AES_/, 'AES')
            .replace('_CBC_', '_')
            .replace(/(?<=POLY1305)_SHA256$/, '')
            .replaceAll('_', '-'),
        ].join('-')
  return known().has(translated.toLowerCase()) ? translated : undefined
}

const known = (): ReadonlySet<string> => new Set(getCiphers())

const isTls13 = (suite: string): boolean => suite.startsWith('TLS_')

/** Suites that Node offers when nothing is asked for, under OpenSSL's names. */
const defaultSuites = (): string[] =>
  constants.defaultCipherList.split(':').filter((each) => each !== '')

/** What the lists leave. */
export function chosenProtocols(lists: TlsLists): ChosenProtocols {
  const ciphers = chosenCiphers(lists)
  const protocols = usableProtocols(lists, ciphers)
  const [minVersion] = protocols
  const maxVersion = protocols.at(-1)
  return {
    ...(minVersion === undefined || minVersion === 'TLSv1.2' ? {} : { minVersion }),
    ...(maxVersion === undefined || maxVersion === 'TLSv1.3' ? {} : { maxVersion }),
    ...(ciphers === undefined ? {} : { ciphers }),
  }
}

/** Those that are left and have a suite: where no suite of a protocol is named, Node would take its own. */
function usableProtocols(lists: TlsLists, ciphers: string | undefined) {
  const suites = ciphers?.split(':').filter((each) => each !== '' && !each.startsWith('!'))
  return left(SPOKEN, lists.includeProtocols, lists.excludeProtocols).filter(
    (protocol) => suites?.some((each) => isTls13(each) === (protocol === 'TLSv1.3')) ?? true,
  )
}

/** Node's defaults also hold classes of suites and exclusions, which stay where nothing is included. */
function chosenCiphers(lists: TlsLists): string | undefined {
  const { includeCipherSuites: include, excludeCipherSuites: exclude } = lists
  if (include.length === 0 && exclude.length === 0) return undefined
  const translate = (names: readonly string[]) => names.flatMap((name) => opensslSuite(name) ?? [])
  const excluded = translate(exclude)
  if (include.length > 0) return left(translate(include), [], excluded).join(':')
  const kept = left(defaultSuites(), [], excluded)
  return [...kept, ...excluded.filter((suite) => !isTls13(suite)).map((each) => `!${each}`)].join(
    ':',
  )
}

/** What is wrong with the lists: names that nobody knows, and lists that leave nothing. */
export function protocolProblems(lists: TlsLists): readonly Problem[] {
  const problems: Problem[] = []
  const ignored = (key: string, message: string) =>
    problems.push({ key, message, severity: 'warning', code: 'MILLRACE_CONFIG_NO_EFFECT' })
  for (const key of ['include-protocols', 'exclude-protocols'] as const) {
    const names = key === 'include-protocols' ? lists.includeProtocols : lists.excludeProtocols
    for (const name of names) {
      if (SPOKEN.some((each) => each === name)) continue
      if (!UNSPOKEN.includes(name)) ignored(key, `${name} is no protocol; write TLSv1.2 or TLSv1.3`)
      else if (key === 'include-protocols') ignored(key, `${name} is not spoken here`)
    }
  }
  for (const key of ['include-cipher-suites', 'exclude-cipher-suites'] as const) {
    const names =
      key === 'include-cipher-suites' ? lists.includeCipherSuites : lists.excludeCipherSuites
    for (const name of names) {
      if (opensslSuite(name) === undefined)
        ignored(key, `the cipher suite ${name} is not known here`)
    }
  }
  const nothing = (key: string, what: string) =>
    problems.push({ key, message: `leaves no ${what} to speak` })
  if (left(SPOKEN, lists.includeProtocols, lists.excludeProtocols).length === 0) {
    nothing(
      lists.includeProtocols.length > 0 ? 'include-protocols' : 'exclude-protocols',
      'protocol',
    )
  } else if (usableProtocols(lists, chosenCiphers(lists)).length === 0) {
    const { includeCipherSuites: include } = lists
    nothing(include.length > 0 ? 'include-cipher-suites' : 'exclude-cipher-suites', 'cipher suite')
  }
  return problems
}
