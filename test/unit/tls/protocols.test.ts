import assert from 'node:assert/strict'
import { getCiphers } from 'node:tls'
import { chosenProtocols, opensslSuite } from '@millrace/agent-core/internal/tls/protocols'

const NONE = {
  includeProtocols: [],
  excludeProtocols: ['SSLv3'],
  includeCipherSuites: [],
  excludeCipherSuites: [],
}

describe('protocols and cipher suites under Java’s names', () => {
  it('are those of Node where nothing is asked for', () => {
    assert.deepEqual(chosenProtocols(NONE), {})
  })

  it('have the names of OpenSSL, where Node knows them', () => {
    for (const [java, openssl] of [
      ['TLS_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'],
      ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'],
      ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
      ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256', 'ECDHE-RSA-AES128-SHA256'],
      ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-RSA-CHACHA20-POLY1305'],
      ['TLS_DHE_RSA_WITH_AES_256_CBC_SHA', 'DHE-RSA-AES256-SHA'],
      ['TLS_RSA_WITH_AES_128_GCM_SHA256', 'AES128-GCM-SHA256'],
      ['TLS_RSA_WITH_AES_128_CBC_SHA', 'AES128-SHA'],
      ['SSL_RSA_WITH_AES_256_CBC_SHA', 'AES256-SHA'],
    ] as const) {
      assert.equal(opensslSuite(java), openssl)
      assert.ok(getCiphers().includes(openssl.toLowerCase()), openssl)
    }
    for (const unknown of ['SSL_RSA_WITH_RC4_128_MD5', 'TLS_NO_SUCH', '']) {
      assert.equal(opensslSuite(unknown), undefined)
    }
  })

  it('leave only the protocols that have a suite', () => {
    const rsa = 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'
    assert.deepEqual(chosenProtocols({ ...NONE, includeCipherSuites: [rsa] }), {
      maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-RSA-AES256-GCM-SHA384',
    })
    const both = [rsa, 'TLS_AES_128_GCM_SHA256']
    assert.deepEqual(
      chosenProtocols({ ...NONE, includeCipherSuites: both, excludeCipherSuites: [rsa] }),
      { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' },
    )
  })

  it('leave out what is excluded after what is included', () => {
    const lists = { includeProtocols: ['TLSv1.2', 'TLSv1.3'], excludeProtocols: ['TLSv1.3'] }
    assert.deepEqual(chosenProtocols({ ...NONE, ...lists }), { maxVersion: 'TLSv1.2' })
  })
})
