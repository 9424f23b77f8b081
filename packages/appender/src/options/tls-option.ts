import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { messageOf, OptionError } from '@millrace/runtime'
import type { AppenderTlsOptions } from './appender-options.js'
import { checkOptions, flag, kindOf, type OptionCheck, oneOf, text } from './option-check.js'

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const

const tlsOptions = {
  ca: certificateAuthorities,
  cert: pem,
  key: pem,
  pfx: bytes,
  passphrase: text({ default: undefined }),
  servername: text({ default: undefined }),
  rejectUnauthorized: flag({ default: true }),
  minVersion: oneOf(VERSIONS, { default: undefined }),
  maxVersion: oneOf(VERSIONS, { default: undefined }),
  ciphers: text({ default: undefined }),
}

/**
 * TLS, off by default. Keys and certificates are read at once: what would fail at each connection is
 * refused when the appender is made. No message shows any of them.
 */
export function tlsOption(): OptionCheck<AppenderTlsOptions | undefined> {
  return (value, name) => {
    if (value === undefined || value === false) return undefined
    if (value === true) return {}
    const options = checkOptions(tlsOptions, value, name)
    checkTogether(options, name)
    return options
  }
}

function checkTogether(options: AppenderTlsOptions, name: string): void {
  const { cert, key, pfx, passphrase, minVersion, maxVersion, ciphers } = options
  if ((cert === undefined) !== (key === undefined)) {
    throw new OptionError(`${name}.cert and ${name}.key must be given together`)
  }
  if (pfx !== undefined && cert !== undefined) {
    throw new OptionError(`${name}.pfx takes the place of ${name}.cert and ${name}.key`)
  }
  if (minVersion === 'TLSv1.3' && maxVersion === 'TLSv1.2') {
    throw new OptionError(`${name}.minVersion must not exceed ${name}.maxVersion`)
  }
  const own = {
    ...(cert === undefined ? {} : { cert: nodePem(cert) }),
    ...(key === undefined ? {} : { key: nodePem(key) }),
    ...(pfx === undefined ? {} : { pfx: Buffer.from(pfx) }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(ciphers === undefined ? {} : { ciphers }),
  }
  if (Object.keys(own).length === 0) return
  try {
    createSecureContext(own)
  } catch (error) {
    const given = Object.keys(own).map((key) => `${name}.${key}`)
    throw new OptionError(`${given.join(', ')} cannot be used: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

type Pem = string | Uint8Array

/** Bytes that came through a structured clone are no Buffer any more. */
export function nodePem(value: Pem): string | Buffer {
  return typeof value === 'string' ? value : Buffer.from(value)
}

function pem(value: unknown, name: string): Pem | undefined {
  if (value === undefined) return undefined
  const isBytes = value instanceof Uint8Array
  if (!isBytes && typeof value !== 'string') {
    throw new OptionError(`${name} must be PEM text or bytes, not ${kindOf(value)}`)
  }
  if (!nodePem(value).includes('-----BEGIN ')) {
    throw new OptionError(`${name} must be what a PEM file holds (-----BEGIN …), not its path`)
  }
  return value
}

function certificateAuthorities(value: unknown, name: string): Pem | readonly Pem[] | undefined {
  if (!Array.isArray(value)) return certificates(value, name)
  if (value.length === 0) throw new OptionError(`${name} must name at least one certificate`)
  return value.map((one: unknown, i) => {
    const checked = certificates(one, `${name}[${i}]`)
    if (checked === undefined) throw new OptionError(`${name}[${i}] is missing`)
    return checked
  })
}

const CERTIFICATE =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^]*?-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g

/** Node passes over a certificate of an authority that it cannot read, without a word. */
function certificates(value: unknown, name: string): Pem | undefined {
  const checked = pem(value, name)
  if (checked === undefined) return undefined
  const blocks = nodePem(checked).toString().match(CERTIFICATE)
  if (blocks === null) throw new OptionError(`${name} holds no certificate`)
  for (const block of blocks) {
    try {
      void new X509Certificate(block)
    } catch (error) {
      const reason = messageOf(error)
      throw new OptionError(`${name} holds a certificate that cannot be read: ${reason}`, {
        cause: error,
      })
    }
  }
  return checked
}

function bytes(value: unknown, name: string): Uint8Array | undefined {
  if (value === undefined || value instanceof Uint8Array) return value
  throw new OptionError(`${name} must be the bytes of a PKCS#12 file, not ${kindOf(value)}`)
}
