/** Stores as Java writes them, made when a test asks for them: no private key lies in the repository. */
import { createHash, createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import forge from 'node-forge'
import type { TestCertificate } from './certificates.js'
import { temporaryDirectory } from './temp-directory.js'

/** A key with its certificate, or the PEM of a certificate to trust. */
type Entry = TestCertificate | string

const int = (value: number): Buffer => {
  const octets = Buffer.alloc(4)
  octets.writeInt32BE(value)
  return octets
}

const utf = (text: string): Buffer => {
  const octets = Buffer.from(text)
  return Buffer.concat([int(octets.length).subarray(2), octets])
}

const sized = (octets: Buffer): Buffer => Buffer.concat([int(octets.length), octets])

const sha1 = (...parts: Buffer[]): Buffer => {
  const hash = createHash('sha1')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** Java's chars: UTF-16, the high octet first. */
const passwordOctets = (password: string): Buffer => Buffer.from(password, 'utf16le').swap16()

const derOf = (cert: string): Buffer => new X509Certificate(cert).raw

/** Sun's key protection: a stream of SHA-1 sums from a salt, and one over the clear key. */
function protectedKey(password: string, key: string): Buffer {
  const secret = passwordOctets(password)
  const clear = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' })
  const salt = randomBytes(20)
  const hidden = Buffer.alloc(clear.length)
  let stream: Buffer = salt
  for (let at = 0; at < clear.length; at += 1) {
    if (at % 20 === 0) stream = sha1(secret, stream)
    hidden[at] = (clear[at] ?? 0) ^ (stream[at % 20] ?? 0)
  }
  const { asn1 } = forge
  const universal = asn1.Class.UNIVERSAL
  const octets = Buffer.concat([salt, hidden, sha1(secret, clear)])
  const oid = asn1.oidToDer('1.3.6.1.4.1.42.2.17.1.1').getBytes()
  const info = asn1.create(universal, asn1.Type.SEQUENCE, true, [
    asn1.create(universal, asn1.Type.SEQUENCE, true, [
      asn1.create(universal, asn1.Type.OID, false, oid),
      asn1.create(universal, asn1.Type.NULL, false, ''),
    ]),
    asn1.create(universal, asn1.Type.OCTETSTRING, false, octets.toString('latin1')),
  ])
  return Buffer.from(asn1.toDer(info).getBytes(), 'latin1')
}

/** Writes a store of Java's own format, version 2. */
export function writeJks(password: string, ...entries: readonly Entry[]): string {
  const date = Buffer.alloc(8)
  const certificate = (pem: string) => Buffer.concat([utf('X.509'), sized(derOf(pem))])
  const body = Buffer.concat([
    int(0xfeedfeed | 0),
    int(2),
    int(entries.length),
    ...entries.map((entry, i) =>
      typeof entry === 'string'
        ? Buffer.concat([int(2), utf(`trusted${i}`), date, certificate(entry)])
        : Buffer.concat([
            int(1),
            utf(`key${i}`),
            date,
            sized(protectedKey(password, entry.key)),
            int(1),
            certificate(entry.cert),
          ]),
    ),
  ])
  const sum = sha1(passwordOctets(password), Buffer.from('Mighty Aphrodite'), body)
  return write('store.jks', Buffer.concat([body, sum]))
}

/** Writes a PKCS#12 store under triple DES, as Java 8 did; one of certificates alone is a trust store. */
export function writePkcs12(password: string, entry: Entry): string {
  const isKey = typeof entry !== 'string'
  const store = forge.pkcs12.toPkcs12Asn1(
    isKey ? forge.pki.privateKeyFromPem(entry.key) : null,
    [forge.pki.certificateFromPem(isKey ? entry.cert : entry)],
    password,
    { algorithm: '3des' },
  )
  return write('store.p12', Buffer.from(forge.asn1.toDer(store).getBytes(), 'latin1'))
}

function write(name: string, octets: Buffer): string {
  const path = join(temporaryDirectory(), name)
  writeFileSync(path, octets)
  return path
}
