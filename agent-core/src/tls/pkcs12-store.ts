import { createPrivateKey, X509Certificate } from 'node:crypto'
import forge from 'node-forge'
import { pemOf, type StoreContent } from './stores.js'

/**
 * Reads PKCS#12 (RFC 7292): also what Node itself refuses, such as stores of certificates alone and
 * those encrypted with RC2 or triple DES.
 */
export function readPkcs12(octets: Buffer, password: string | undefined): StoreContent {
  const der = forge.util.createBuffer(octets.toString('latin1'))
  const store = forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(der), password ?? '')
  const bags = store.safeContents.flatMap(({ safeBags }) => safeBags)
  const certificates = bags
    .filter(({ type }) => type === forge.pki.oids['certBag'])
    .flatMap((bag) => new X509Certificate(certificateOctets(bag)))
  const keys = bags.filter(isKey).map((bag) => {
    const key = pemOf('PRIVATE KEY', keyOctets(bag))
    return { open: () => key, certificates: chainOf(key, certificates) }
  })
  const used = new Set(keys.flatMap((key) => key.certificates))
  return { keys, trusted: certificates.map(pem).filter((each) => !used.has(each)) }
}

const pem = (certificate: X509Certificate): string => pemOf('CERTIFICATE', certificate.raw)

const isKey = ({ type }: forge.pkcs12.Bag): boolean =>
  type === forge.pki.oids['pkcs8ShroudedKeyBag'] || type === forge.pki.oids['keyBag']

const octetsOf = (value: forge.asn1.Asn1): Buffer =>
  Buffer.from(forge.asn1.toDer(value).getBytes(), 'latin1')

/** The library reads RSA alone; anything else it hands on as it came. */
function certificateOctets(bag: forge.pkcs12.Bag): Buffer {
  return octetsOf(bag.cert ? forge.pki.certificateToAsn1(bag.cert) : bag.asn1)
}

function keyOctets(bag: forge.pkcs12.Bag): Buffer {
  return octetsOf(
    bag.key ? forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(bag.key)) : bag.asn1,
  )
}

/** The certificate of the key, and those that it leads to. */
function chainOf(key: string, certificates: readonly X509Certificate[]): string[] {
  const privateKey = createPrivateKey(key)
  const chain: X509Certificate[] = []
  let next = certificates.find((each) => each.checkPrivateKey(privateKey))
  while (next !== undefined && !chain.includes(next)) {
    chain.push(next)
    const issued = next
    next = certificates.find((each) => each !== issued && issued.checkIssued(each))
  }
  return chain.map(pem)
}
