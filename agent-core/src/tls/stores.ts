/**
 * Key and trust stores as Java and OpenSSL write them. A file says by its first octets what it is;
 * like Java's own provider, this does not hold a wrong `-type` against it.
 */
import { LifecycleError, messageOf } from '@millrace/runtime'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'

/** A private key with its certificate chain, its own certificate first. */
export interface StoredKey {
  /** @throws Error when the password is another one. */
  open(): string
  readonly certificates: readonly string[]
}

/** PEM texts of what a store holds. */
export interface StoreContent {
  readonly keys: readonly StoredKey[]
  /** Certificates that belong to no key: those to trust. */
  readonly trusted: readonly string[]
}

/** What Node's `tls` takes of a key store. */
export interface KeyMaterial {
  readonly key: string
  readonly cert: string
  readonly passphrase?: string
}

/** Which settings named the file, for errors. */
export type StoreKind = 'keystore' | 'truststore'

const JKS_MAGIC = 'feedfeed'
const JCEKS_MAGIC = 'cececece'
const ASN1_SEQUENCE = 0x30

/** Formats that a `-type` may name. JKS and PKCS12 are found by the file itself. */
export const STORE_TYPES: readonly string[] = ['JKS', 'PKCS12', 'PEM']

/**
 * Reads a private key and its certificate chain. Of several keys in a store, the first is taken.
 * @throws LifecycleError `MILLRACE_LIFECYCLE_START_FAILED` when the file cannot be read or opened, or
 *   its key does not fit.
 */
export async function readKeyStore(path: string, password?: string): Promise<KeyMaterial> {
  return failing('keystore', path, async () => {
    const octets = await readFile(path)
    const material = isPem(octets)
      ? pemKey(octets.toString('latin1'), password)
      : firstKey(await readBinaryStore(octets, password))
    createSecureContext(material)
    return material
  })
}

/**
 * Reads the certificates to trust: all that a store holds, those of its keys too.
 * @throws LifecycleError `MILLRACE_LIFECYCLE_START_FAILED` when the file cannot be read or opened, or
 *   holds no certificate.
 */
export async function readTrustStore(path: string, password?: string): Promise<string[]> {
  return failing('truststore', path, async () => {
    const octets = await readFile(path)
    const certificates = isPem(octets)
      ? certificatesOf(octets.toString('latin1'))
      : allCertificates(await readBinaryStore(octets, password))
    if (certificates.length === 0) throw new Error('it holds no certificate')
    createSecureContext({ ca: certificates })
    return certificates
  })
}

async function failing<T>(kind: StoreKind, path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    throw new LifecycleError(
      'MILLRACE_LIFECYCLE_START_FAILED',
      `The ${kind} ${path} cannot be used: ${messageOf(cause)}`,
      { cause },
    )
  }
}

const isPem = (octets: Buffer): boolean => octets.includes('-----BEGIN ')

function pemKey(text: string, password: string | undefined): KeyMaterial {
  const [key] = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/.exec(
    text,
  ) ?? [undefined]
  const certificates = certificatesOf(text)
  if (key === undefined) throw new Error('it holds no private key')
  if (certificates.length === 0) throw new Error('it holds no certificate')
  const material = { key: `${key}\n`, cert: certificates.join('') }
  return password === undefined ? material : { ...material, passphrase: password }
}

function certificatesOf(text: string): string[] {
  const found = text.matchAll(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g)
  return Array.from(found, ([certificate]) => `${certificate}\n`)
}

/** The libraries are loaded when a file needs them. */
async function readBinaryStore(
  octets: Buffer,
  password: string | undefined,
): Promise<StoreContent> {
  const magic = octets.toString('hex', 0, 4)
  if (magic === JKS_MAGIC) {
    const { readJks } = await import('./jks-store.js')
    return damaged('JKS', () => readJks(octets, password))
  }
  if (octets[0] === ASN1_SEQUENCE) {
    const { readPkcs12 } = await import('./pkcs12-store.js')
    return damaged('PKCS12', () => readPkcs12(octets, password))
  }
  throw new Error(
    magic === JCEKS_MAGIC
      ? 'it is a JCEKS store; keytool -importkeystore makes a PKCS12 store of it'
      : 'it is neither PEM nor JKS nor PKCS12',
  )
}

/** The libraries' errors tell of their own reading. */
function damaged(format: string, read: () => StoreContent): StoreContent {
  try {
    return read()
  } catch (cause) {
    const text = `it is a damaged ${format} store, or its password is another one`
    throw new Error(`${text} (${messageOf(cause)})`, { cause })
  }
}

function firstKey(content: StoreContent): KeyMaterial {
  const [first] = content.keys
  if (first === undefined) throw new Error('it holds no private key')
  if (first.certificates.length === 0) throw new Error('it holds no certificate for its key')
  return { key: first.open(), cert: first.certificates.join('') }
}

function allCertificates({ keys, trusted }: StoreContent): string[] {
  return [...trusted, ...keys.flatMap(({ certificates }) => certificates)]
}

/** PEM of DER octets. */
export function pemOf(label: string, octets: Buffer): string {
  const lines = octets.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
