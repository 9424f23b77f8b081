/** Lookups that read a file, ask a server or resolve a name. Each throws with the reason when it fails. */
import { lookup as resolveName, lookupService } from 'node:dns/promises'
import { open } from 'node:fs/promises'
import { ConfigurationError } from '@millrace/runtime'
import { fetchText } from '../locations/http.js'
import { parsePropertiesText } from '../properties.js'

/** The value, or undefined when there is none. */
export type OutsideLookup = (name: string) => Promise<string | undefined>

/** Largest file that a value is read from, in bytes. */
const MAX_FILE_BYTES = 1024 * 1024

/** By prefix in lower case. */
export const OUTSIDE_LOOKUPS: ReadonlyMap<string, OutsideLookup> = new Map<string, OutsideLookup>([
  ['file', file],
  ['properties', properties],
  ['url', url],
  ['dns', dns],
])

const invalid = (message: string): ConfigurationError =>
  new ConfigurationError('MILLRACE_CONFIG_INVALID', message)

/** `UTF-8:path` */
async function file(name: string): Promise<string> {
  const [charset, path] = cutAt(name, ':', '${file:UTF-8:path}')
  return decode(await readSmall(path), charset)
}

/** `path::key` */
async function properties(name: string): Promise<string | undefined> {
  const [path, key] = cutAt(name, '::', '${properties:path::key}')
  const text = decode(await readSmall(path), 'UTF-8')
  return parsePropertiesText(text).findLast((entry) => entry.key === key)?.value
}

/** `UTF-8:http://…` */
async function url(name: string): Promise<string> {
  const [charset, address] = cutAt(name, ':', '${url:UTF-8:https://host/path}')
  return decode(await fetchText(address), charset)
}

/** `name|host`, `canonical-name|host`, `address|host`, or a host alone for its address. */
async function dns(name: string): Promise<string> {
  const [what = '', host] = name.split('|')
  if (host === undefined) return (await resolveName(what)).address
  const { address } = await resolveName(host)
  if (what === 'address') return address
  return (await lookupService(address, 0)).hostname
}

function cutAt(text: string, separator: string, form: string): [string, string] {
  const at = text.indexOf(separator)
  if (at <= 0) throw invalid(`it has the form ${form}`)
  return [text.slice(0, at), text.slice(at + separator.length)]
}

async function readSmall(path: string): Promise<Buffer> {
  const handle = await open(path)
  try {
    const { size } = await handle.stat()
    if (size > MAX_FILE_BYTES) throw invalid(`${path} is larger than ${MAX_FILE_BYTES} bytes`)
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}

function decode(bytes: Uint8Array, charset: string): string {
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch (error) {
    throw new ConfigurationError(
      'MILLRACE_CONFIG_INVALID',
      `"${charset}" is not a character set that is known here`,
      { cause: error },
    )
  }
}
