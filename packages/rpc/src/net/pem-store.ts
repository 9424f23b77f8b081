import { OptionError, messageOf } from '@millrace/runtime'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'

/** A key with its certificate chain, as both TLS roles take them. */
export interface KeyStore {
  readonly key: Buffer
  readonly cert: Buffer
  readonly passphrase?: string
}

/**
 * Reads Flume's `keystore`: one PEM file that holds the private key and the certificate chain.
 * @throws OptionError when it can't be read, is of another type, lacks one of the two, or the key
 *   does not open or does not fit.
 */
export function readKeyStore(
  path: string,
  options: { type?: string; password?: string } = {},
): KeyStore {
  const pem = readPem('keystore', path, options.type)
  for (const [part, pattern] of [
    ['private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
    ['certificate', /-----BEGIN CERTIFICATE-----/],
  ] as const) {
    if (!pattern.test(pem.toString('latin1')))
      throw new OptionError(`keystore ${path} has no ${part}`)
  }
  const { password } = options
  const store = { key: pem, cert: pem, ...(password ? { passphrase: password } : {}) }
  try {
    createSecureContext(store)
  } catch (error) {
    throw new OptionError(`keystore ${path} cannot be used: ${messageOf(error)}`, { cause: error })
  }
  return store
}

/**
 * Reads Flume's `truststore`: a PEM file of the certificates to trust.
 * @throws OptionError when it can't be read, or is of another type.
 */
export function readTrustStore(path: string, options: { type?: string } = {}): Buffer {
  return readPem('truststore', path, options.type)
}

function readPem(name: string, path: string, type: string | undefined): Buffer {
  // A file says what it is; Flume's default type, JKS, is not held against a PEM file.
  if (type !== undefined && type.toUpperCase() !== 'PEM') {
    throw new OptionError(`${name}-type ${type} is not supported: only PEM is`)
  }
  let content: Buffer
  try {
    content = readFileSync(path)
  } catch (error) {
    throw new OptionError(`${name} cannot be read: ${messageOf(error)}`, { cause: error })
  }
  if (!content.includes('-----BEGIN ')) {
    throw new OptionError(`${name} ${path} is ${formatOf(content)}: it must be converted to PEM`)
  }
  return content
}

/** First octets of Java's stores; PKCS#12 and DER both begin as an ASN.1 sequence. */
const STORE_FORMATS: Readonly<Record<string, string>> = {
  feedfeed: 'a JKS store',
  cececece: 'a JCEKS store',
}
const ASN1_SEQUENCE = 0x30

function formatOf(content: Buffer): string {
  const known = STORE_FORMATS[content.toString('hex', 0, 4)]
  return known ?? (content[0] === ASN1_SEQUENCE ? 'a PKCS12 store or DER' : 'no PEM file')
}
