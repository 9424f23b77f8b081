/** Keys and certificates from PEM files, with errors that name the file and what is wrong with it. */
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { LifecycleError, messageOf } from '@millrace/runtime'

/** A file with a private key and the certificate chain. */
export interface KeyStore {
  readonly path: string
  /** Of an encrypted key. */
  readonly password: string | undefined
}

/** What Node's `tls` takes for a key store. */
export interface KeyMaterial {
  readonly key: string
  readonly cert: string
  readonly passphrase?: string
}

/** @throws LifecycleError when the file cannot be read, is no PEM, or its key does not fit. */
export async function readKeyStore(store: KeyStore): Promise<KeyMaterial> {
  const pem = await readPem('key store', store.path)
  for (const part of ['PRIVATE KEY-----', '-----BEGIN CERTIFICATE-----']) {
    if (!pem.includes(part)) {
      throw unusable(
        'key store',
        store.path,
        `it holds no ${part.replaceAll(/-|BEGIN/g, '').trim()}`,
      )
    }
  }
  const { password } = store
  // Node finds the key among the certificates and the certificates behind the key.
  const material = {
    key: pem,
    cert: pem,
    ...(password === undefined ? {} : { passphrase: password }),
  }
  try {
    createSecureContext(material)
  } catch (error) {
    throw unusable('key store', store.path, messageOf(error), error)
  }
  return material
}

/** @throws LifecycleError when the file cannot be read or holds no certificate in PEM. */
export async function readTrustStore(path: string): Promise<string> {
  const pem = await readPem('trust store', path)
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) {
    throw unusable('trust store', path, 'it holds no certificate')
  }
  try {
    createSecureContext({ ca: pem })
  } catch (error) {
    throw unusable('trust store', path, messageOf(error), error)
  }
  return pem
}

async function readPem(what: string, path: string): Promise<string> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    throw unusable(what, path, messageOf(error), error)
  }
  const text = bytes.toString('latin1')
  if (text.includes('-----BEGIN ')) return text
  throw unusable(what, path, `it is ${formatOf(bytes)}; convert it to PEM`)
}

/** First bytes of Java's key stores. */
const JKS_MAGIC = 'feedfeed'
const JCEKS_MAGIC = 'cececece'
/** An ASN.1 sequence: PKCS#12, or a certificate in DER. */
const ASN1_SEQUENCE = 0x30

function formatOf(bytes: Buffer): string {
  const magic = bytes.subarray(0, 4).toString('hex')
  if (magic === JKS_MAGIC) return 'a JKS store'
  if (magic === JCEKS_MAGIC) return 'a JCEKS store'
  return bytes[0] === ASN1_SEQUENCE ? 'a PKCS12 store or DER' : 'no PEM'
}

function unusable(what: string, path: string, reason: string, cause?: unknown): LifecycleError {
  const message = `The ${what} ${path} cannot be used: ${reason}`
  return new LifecycleError('MILLRACE_LIFECYCLE_START_FAILED', message, { cause })
}
