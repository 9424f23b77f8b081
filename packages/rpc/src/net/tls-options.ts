import type { SecureVersion } from 'node:tls'

/** PEM text or octets, as Node's `tls` takes them. */
export type Pem = string | Buffer | readonly (string | Buffer)[]

interface CommonTlsOptions {
  /** Private key in PEM. */
  readonly key?: Pem
  /** Certificate chain in PEM. */
  readonly cert?: Pem
  /** Key and chain in PKCS#12, in place of `key` and `cert`. */
  readonly pfx?: Buffer
  /** Password of the private key or the PKCS#12. */
  readonly passphrase?: string
  /** Certificates to trust in PEM. Default: those that Node brings. */
  readonly ca?: Pem
  readonly minVersion?: SecureVersion
  readonly maxVersion?: SecureVersion
  /** Suites under OpenSSL's names, separated by colons. */
  readonly ciphers?: string
}

/** TLS of a server. Key and certificate are needed. */
export interface ServerTlsOptions extends CommonTlsOptions {
  /** Whether a client certificate is asked for, and whether one must be there. Default none. */
  readonly clientAuth?: 'none' | 'want' | 'need'
}

/** TLS of a client. By default the server's chain and its host name are checked, as Java's client does not. */
export interface ClientTlsOptions extends CommonTlsOptions {
  /** The name to send (SNI) and to check. Default: the host that is connected to. */
  readonly servername?: string
  /** False: any certificate of a trusted authority will do, whatever its name. Default true. */
  readonly checkHostname?: boolean
  /** True: any certificate will do (`trust-all-certs`). Default false. */
  readonly trustAll?: boolean
  /**
   * Which layer is outside when `deflate` is on too: `zlib` as Flume 1.10 and 1.11, `tls` as Flume
   * 1.9 and older. Default zlib.
   */
  readonly outermost?: 'zlib' | 'tls'
}

/** What both roles hand to Node. */
export function commonTlsOptions(options: CommonTlsOptions) {
  const { key, cert, pfx, passphrase, ca, minVersion, maxVersion, ciphers } = options
  return {
    ...(key === undefined ? {} : { key: mutable(key) }),
    ...(cert === undefined ? {} : { cert: mutable(cert) }),
    ...(pfx === undefined ? {} : { pfx }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(ca === undefined ? {} : { ca: mutable(ca) }),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(ciphers === undefined ? {} : { ciphers }),
  }
}

function mutable(pem: Pem): string | Buffer | (string | Buffer)[] {
  return typeof pem === 'string' || Buffer.isBuffer(pem) ? pem : [...pem]
}
