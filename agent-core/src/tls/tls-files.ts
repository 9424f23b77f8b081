/** The TLS of a source or sink out of its settings: stores, protocols and suites, read anew when a file changes. */
import type { ClientTlsOptions, ServerTlsOptions } from '@millrace/rpc'
import { stat } from 'node:fs/promises'
import { chosenProtocols, type TlsLists } from './protocols.js'
import { type KeyMaterial, readKeyStore, readTrustStore } from './stores.js'

/** What a file gives, parsed again only when it has changed. */
class StoreFile<T> {
  readonly #path: string
  readonly #parse: () => Promise<T>
  #stamp = ''
  #value: T | undefined

  constructor(path: string, parse: () => Promise<T>) {
    this.#path = path
    this.#parse = parse
  }

  async read(): Promise<T> {
    const stamp = await stampOf(this.#path)
    if (this.#value === undefined || stamp !== this.#stamp) {
      this.#value = await this.#parse()
      this.#stamp = stamp
    }
    return this.#value
  }
}

/** Changes with each change of the file. One that is not there has one too: reading it tells why. */
async function stampOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined)
  return found ? `${found.mtimeMs} ${found.size} ${found.ino}` : 'missing'
}

export interface StoreSettings extends TlsLists {
  readonly keystore: string | undefined
  readonly keystorePassword: string | undefined
  readonly truststore: string | undefined
  readonly truststorePassword: string | undefined
}

/** The stores of one component. */
class Stores {
  readonly #keys: StoreFile<KeyMaterial> | undefined
  readonly #trust: StoreFile<string[]> | undefined

  constructor(settings: StoreSettings) {
    const { keystore, keystorePassword, truststore, truststorePassword } = settings
    if (keystore !== undefined) {
      this.#keys = new StoreFile(keystore, () => readKeyStore(keystore, keystorePassword))
    }
    if (truststore !== undefined) {
      this.#trust = new StoreFile(truststore, () => readTrustStore(truststore, truststorePassword))
    }
  }

  async read(): Promise<{ keys: KeyMaterial | undefined; ca: string[] | undefined }> {
    const [keys, ca] = await Promise.all([this.#keys?.read(), this.#trust?.read()])
    return { keys, ca }
  }
}

/** TLS of a server. */
export class ServerTls {
  readonly #settings: StoreSettings & { readonly clientAuth: 'none' | 'want' | 'need' }
  readonly #stores: Stores
  #last:
    | { keys: KeyMaterial | undefined; ca: string[] | undefined; tls: ServerTlsOptions }
    | undefined

  constructor(settings: StoreSettings & { readonly clientAuth: 'none' | 'want' | 'need' }) {
    this.#settings = settings
    this.#stores = new Stores(settings)
  }

  /**
   * The same object as before while no file has changed.
   * @throws LifecycleError when a store cannot be used.
   */
  async read(): Promise<ServerTlsOptions> {
    const { keys, ca } = await this.#stores.read()
    const last = this.#last
    if (last && last.keys === keys && last.ca === ca) return last.tls
    const { clientAuth } = this.#settings
    const tls: ServerTlsOptions = {
      ...chosenProtocols(this.#settings),
      ...keys,
      clientAuth,
      ...(ca === undefined || clientAuth === 'none' ? {} : { ca }),
    }
    this.#last = { keys, ca, tls }
    return tls
  }
}

export interface ClientTlsSettings extends StoreSettings {
  readonly trustAllCerts: boolean
  readonly verifyHostname: boolean
  readonly tlsDeflateOrder: 'v1.10' | 'v1.9'
}

/** TLS of a client. */
export class ClientTls {
  readonly #settings: ClientTlsSettings
  readonly #stores: Stores

  constructor(settings: ClientTlsSettings) {
    this.#settings = settings
    this.#stores = new Stores(settings)
  }

  /** @throws LifecycleError when a store cannot be used. */
  async read(): Promise<ClientTlsOptions> {
    const { trustAllCerts, verifyHostname, tlsDeflateOrder } = this.#settings
    const { keys, ca } = await this.#stores.read()
    return {
      ...chosenProtocols(this.#settings),
      ...keys,
      ...(ca === undefined ? {} : { ca }),
      trustAll: trustAllCerts,
      checkHostname: verifyHostname,
      outermost: tlsDeflateOrder === 'v1.9' ? 'tls' : 'zlib',
    }
  }
}
