/** Certificates for TLS tests, made when a test asks for them: no private key lies in the repository. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import forge from 'node-forge'
import { temporaryDirectory } from './temp-directory.js'

/** A certificate with its private key. */
export class TestCertificate {
  /** PEM. */
  readonly cert: string
  /** PEM, PKCS#8. */
  readonly key: string
  readonly #certificate: forge.pki.Certificate

  /** @param hosts names and IPv4 addresses that it is good for. */
  constructor(name: string, issuer?: TestCertificate, hosts: readonly string[] = []) {
    const keys = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    const certificate = forge.pki.createCertificate()
    certificate.publicKey = forge.pki.publicKeyFromPem(keys.publicKey)
    certificate.serialNumber = `01${forge.util.bytesToHex(forge.random.getBytesSync(8))}`
    certificate.validity.notBefore = new Date(Date.now() - DAY_MS)
    certificate.validity.notAfter = new Date(Date.now() + DAY_MS)
    const subject = [{ name: 'commonName', value: name }]
    certificate.setSubject(subject)
    certificate.setIssuer(issuer ? issuer.#certificate.subject.attributes : subject)
    const altNames = hosts.map((host) =>
      /^[\d.]+$/.test(host) ? { type: 7, ip: host } : { type: 2, value: host },
    )
    certificate.setExtensions([
      { name: 'basicConstraints', cA: issuer === undefined },
      ...(altNames.length > 0 ? [{ name: 'subjectAltName', altNames }] : []),
    ])
    const signer = forge.pki.privateKeyFromPem(issuer?.key ?? keys.privateKey)
    certificate.sign(signer, forge.md.sha256.create())
    this.#certificate = certificate
    this.key = keys.privateKey
    this.cert = forge.pki.certificateToPem(certificate)
  }

  /** Writes key and certificate into one PEM file, the key encrypted when there is a password. */
  writeStore(password?: string): string {
    const key = createPrivateKey(this.key)
    const pem =
      password === undefined
        ? this.key
        : key.export({
            type: 'pkcs8',
            format: 'pem',
            cipher: 'aes-256-cbc',
            passphrase: password,
          })
    return writePem(pem.toString() + this.cert)
  }

  /** Certificate and key in PKCS#12. */
  toPfx(password: string): Buffer {
    const key = forge.pki.privateKeyFromPem(this.key)
    const asn1 = forge.pkcs12.toPkcs12Asn1(key, [this.#certificate], password, {
      algorithm: 'aes256',
    })
    return Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1')
  }

  /** Writes the certificate into a PEM file. */
  writeCertificate(): string {
    return writePem(this.cert)
  }
}

const DAY_MS = 86_400_000

function writePem(text: string): string {
  const path = join(temporaryDirectory(), 'store.pem')
  writeFileSync(path, text)
  return path
}

export interface TestCertificates {
  /** Signed all but `stranger`. */
  readonly authority: TestCertificate
  /** Good for localhost and 127.0.0.1. */
  readonly server: TestCertificate
  /** Good for other.example. */
  readonly otherServer: TestCertificate
  readonly client: TestCertificate
  /** Signed by itself; good for localhost and 127.0.0.1. */
  readonly stranger: TestCertificate
}

/** A set of certificates; takes about half a second, so once per file is enough. */
export function testCertificates(): TestCertificates {
  const hosts = ['localhost', '127.0.0.1']
  const authority = new TestCertificate('Millrace test authority')
  return {
    authority,
    server: new TestCertificate('server', authority, hosts),
    otherServer: new TestCertificate('other server', authority, ['other.example']),
    client: new TestCertificate('client', authority),
    stranger: new TestCertificate('stranger', undefined, hosts),
  }
}
