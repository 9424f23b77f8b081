/** Key and trust stores for both worlds, and the settings of every transport. */
import { join } from 'node:path'
import { type TestCertificates, testCertificates } from '../certificates.js'
import { temporaryDirectory } from '../temp-directory.js'
import { javaPeer } from './java-peer.js'
import type { Settings } from './place.js'

export const PASSWORD = 'changeit'

export type Transport = 'plain' | 'deflate' | 'tls' | 'both'

export const TRANSPORTS: readonly Transport[] = ['plain', 'deflate', 'tls', 'both']

export interface TlsFiles {
  readonly certificates: TestCertificates
  /** JKS, as Java writes it. */
  readonly javaKeystore: string
  readonly javaTruststore: string
  readonly pemKeystore: string
  readonly pemTruststore: string
}

/** Makes a set of certificates and the stores that hold them. */
export async function tlsFiles(): Promise<TlsFiles> {
  const certificates = testCertificates()
  const directory = temporaryDirectory()
  const { authority, server } = certificates
  const [javaKeystore, javaTruststore] = [join(directory, 'key.jks'), join(directory, 'trust.jks')]
  const store = { type: 'JKS', password: PASSWORD }
  const { cert, key } = server
  await javaPeer('1.11').writeStore({ ...store, file: javaKeystore, cert, key })
  await javaPeer('1.11').writeStore({ ...store, file: javaTruststore, cert: authority.cert })
  return {
    certificates,
    javaKeystore,
    javaTruststore,
    pemKeystore: server.writeStore(),
    pemTruststore: authority.writeCertificate(),
  }
}

/** Settings of one transport out of those of TLS. */
export function transportSettings(transport: Transport, tls: Settings): Settings {
  return {
    ...(transport === 'deflate' || transport === 'both' ? { 'compression-type': 'deflate' } : {}),
    ...(transport === 'tls' || transport === 'both' ? { ssl: 'true', ...tls } : {}),
  }
}

/** Four sources, one for each transport. */
export function sourcesFor(tls: Settings): Record<Transport, Settings> {
  return {
    plain: {},
    deflate: transportSettings('deflate', tls),
    tls: transportSettings('tls', tls),
    both: transportSettings('both', tls),
  }
}
