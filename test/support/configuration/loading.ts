import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Finding,
  type LoadConfigurationOptions,
  loadConfiguration,
  type LoadedConfiguration,
} from '@millrace/agent-core'
import { temporaryDirectory } from '../temp-directory.js'
import { testComponents } from './test-components.js'

export interface LoadOptions extends Partial<LoadConfigurationOptions> {
  readonly directory?: string
}

/** Writes a file and loads agent `a1` from it. */
export function load(
  text: string | Uint8Array,
  options: LoadOptions = {},
): Promise<LoadedConfiguration> {
  const { directory = temporaryDirectory(), ...others } = options
  const file = join(directory, 'flume.properties')
  writeFileSync(file, text)
  return loadConfiguration({
    file,
    agent: 'a1',
    components: testComponents,
    environment: {},
    ...others,
  })
}

/** `line severity code key`, without the parts that all codes and keys share. */
export const shortForm = ({ line, severity, code, key }: Finding): string =>
  `${line} ${severity} ${code.replace('MILLRACE_CONFIG_', '')} ${key}`

export async function findingsOf(
  text: string | Uint8Array,
  options: LoadOptions = {},
): Promise<string[]> {
  return (await load(text, options)).findings.map(shortForm)
}

/** Text that `java.util.Properties` reads as these entries. */
export function writeProperties(entries: readonly (readonly [string, string])[]): string {
  const escape = (text: string, isKey: boolean) =>
    text
      .replaceAll('\\', '\\\\')
      .replaceAll(isKey ? /[ \t\f=:#!]/g : /^[ \t\f]|[#!=:]/g, '\\$&')
      .replaceAll('\n', '\\n')
      .replaceAll('\r', '\\r')
  return entries.map(([key, value]) => `${escape(key, true)}=${escape(value, false)}\n`).join('')
}
