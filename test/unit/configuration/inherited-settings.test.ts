import assert from 'node:assert/strict'
import { builtinComponents } from '@millrace/agent-core'
import { load, type LoadOptions } from '../../support/configuration/loading.js'

const text = (source = '') => `
a1.sources = r1
a1.channels = c1
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = 0
a1.sources.r1.channels = c1
a1.sources.r1.ssl = true
${source}
a1.channels.c1.type = memory
`

async function sourceOptions(source: string, surroundings: LoadOptions) {
  const { configuration, findings } = await load(text(source), {
    components: builtinComponents,
    ...surroundings,
  })
  const errors = findings.filter(({ severity }) => severity === 'error')
  return { options: configuration?.sources[0]?.options ?? {}, errors }
}

const ENVIRONMENT = {
  FLUME_SSL_KEYSTORE_PATH: '/env/key.jks',
  FLUME_SSL_KEYSTORE_PASSWORD: 'from the environment',
  FLUME_SSL_EXCLUDE_PROTOCOLS: 'SSLv3,TLSv1.3',
}

describe('settings of TLS for the whole agent', () => {
  it('hold where a component does not set its own', async () => {
    const { options, errors } = await sourceOptions('', { environment: ENVIRONMENT })
    assert.deepEqual(errors, [])
    assert.equal(options['keystore'], '/env/key.jks')
    assert.equal(options['keystorePassword'], 'from the environment')
    assert.deepEqual(options['excludeProtocols'], ['SSLv3', 'TLSv1.3'])
  })

  it('are all ten that Flume has, under both names', async () => {
    const settings = {
      KEYSTORE_PATH: ['javax.net.ssl.keyStore', '/k'],
      KEYSTORE_PASSWORD: ['javax.net.ssl.keyStorePassword', 'kp'],
      KEYSTORE_TYPE: ['javax.net.ssl.keyStoreType', 'PKCS12'],
      TRUSTSTORE_PATH: ['javax.net.ssl.trustStore', '/t'],
      TRUSTSTORE_PASSWORD: ['javax.net.ssl.trustStorePassword', 'tp'],
      TRUSTSTORE_TYPE: ['javax.net.ssl.trustStoreType', 'PEM'],
      INCLUDE_PROTOCOLS: ['flume.ssl.include.protocols', 'TLSv1.3'],
      EXCLUDE_PROTOCOLS: ['flume.ssl.exclude.protocols', 'SSLv3'],
      INCLUDE_CIPHERSUITES: ['flume.ssl.include.cipherSuites', 'TLS_AES_256_GCM_SHA384'],
      EXCLUDE_CIPHERSUITES: ['flume.ssl.exclude.cipherSuites', 'TLS_AES_128_GCM_SHA256'],
    }
    const each = Object.entries(settings)
    const surroundings: LoadOptions[] = [
      {
        environment: Object.fromEntries(
          each.map(([key, [, value]]) => [`FLUME_SSL_${key}`, value]),
        ),
      },
      {
        systemProperties: Object.fromEntries(
          each.map(([, [key = '', value = '']]) => [key, value]),
        ),
      },
    ]
    for (const surrounding of surroundings) {
      const { options, errors } = await sourceOptions('', surrounding)
      assert.deepEqual(errors, [])
      assert.deepEqual(
        [
          'keystore',
          'keystorePassword',
          'keystoreType',
          'truststore',
          'truststorePassword',
          'truststoreType',
          'includeProtocols',
          'excludeProtocols',
          'includeCipherSuites',
          'excludeCipherSuites',
        ].flatMap((name) => options[name]),
        each.map(([, [, value]]) => value),
      )
    }
  })

  it('come from a system property before the environment', async () => {
    const { options } = await sourceOptions('', {
      environment: ENVIRONMENT,
      systemProperties: {
        'javax.net.ssl.keyStore': '/system/key.jks',
        'flume.ssl.exclude.protocols': 'TLSv1.2',
      },
    })
    assert.equal(options['keystore'], '/system/key.jks')
    assert.equal(options['keystorePassword'], 'from the environment')
    assert.deepEqual(options['excludeProtocols'], ['TLSv1.2'])
  })

  it('give way to a component’s own, lists as a whole', async () => {
    const own = 'a1.sources.r1.keystore = /own.p12\na1.sources.r1.exclude-protocols = TLSv1.2'
    const { options } = await sourceOptions(own, { environment: ENVIRONMENT })
    assert.equal(options['keystore'], '/own.p12')
    assert.deepEqual(options['excludeProtocols'], ['TLSv1.2'])
  })

  it('are checked like a component’s own, and named where they are wrong', async () => {
    const { errors } = await sourceOptions('', {
      environment: { ...ENVIRONMENT, FLUME_SSL_KEYSTORE_TYPE: 'JCEKS' },
    })
    assert.deepEqual(
      errors.map(({ code, key }) => [code, key]),
      [['MILLRACE_CONFIG_UNSUPPORTED', 'a1.sources.r1.keystore-type']],
    )
    assert.equal((await sourceOptions('', {})).errors[0]?.code, 'MILLRACE_CONFIG_MISSING')
  })
})
