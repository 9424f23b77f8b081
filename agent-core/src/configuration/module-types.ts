/** Components of other people: a `type` that names a module, as it names a class in Flume. */
import { stat } from 'node:fs/promises'
import { createRequire, isBuiltin } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { ComponentDefinition, ComponentKind } from '@millrace/component'
import { messageOf } from '@millrace/runtime'
import type { LoadedType } from './component-types.js'
import { quote } from './finding.js'

export interface ModuleSearch {
  /** Looked through in order, each with the `node_modules` folders above it. */
  readonly directories: readonly string[]
  /** The sentence for a type that is no module either. */
  readonly describeUnknown: () => string
}

/**
 * Imports a module and picks its definition: the default export, else the only export of that kind.
 * Importing runs the module's own code, so whoever writes the configuration is trusted with that.
 */
export async function loadModuleDefinition(
  kind: ComponentKind,
  name: string,
  search: ModuleSearch,
): Promise<LoadedType> {
  const url = await find(name, search.directories)
  if (url === undefined) return { problem: search.describeUnknown() }
  let exports: Readonly<Record<string, unknown>>
  try {
    exports = (await import(url)) as Record<string, unknown>
  } catch (error) {
    return { problem: `the module ${quote(name)} could not be loaded: ${messageOf(error)}` }
  }
  return pick(kind, name, exports)
}

function pick(
  kind: ComponentKind,
  name: string,
  exports: Readonly<Record<string, unknown>>,
): LoadedType {
  const definitions = [...new Set([exports['default'], ...Object.values(exports)])].filter(
    isDefinition,
  )
  const first = definitions.find((each) => each === exports['default'] && each.kind === kind)
  if (first) return { definition: first }
  const fitting = definitions.filter((each) => each.kind === kind)
  const [only, another] = fitting
  if (only && !another) return { definition: only }
  if (another) {
    return {
      problem: `the module ${quote(name)} exports several ${kind} definitions and no default`,
    }
  }
  const kinds = definitions.map((each) => each.kind).join(', ') || 'no component definition'
  return { problem: `the module ${quote(name)} exports ${kinds}; a ${kind} is needed` }
}

export function isDefinition(value: unknown): value is ComponentDefinition {
  if (typeof value !== 'object' || value === null) return false
  const { kind, options, create } = value as Partial<ComponentDefinition>
  return (
    typeof kind === 'string' &&
    typeof options === 'object' &&
    options !== null &&
    typeof create === 'function'
  )
}

/** The address of the file that a module name or path means, seen from the first folder that knows it. */
async function find(name: string, directories: readonly string[]): Promise<string | undefined> {
  // A module of Node is never a component, and `http` is a type that people mistake for one.
  if (isBuiltin(name) || name.startsWith('data:')) return undefined
  // Loaded when a configuration names a module, which few do.
  const { resolve } = await import('import-meta-resolve')
  for (const directory of directories) {
    const parent = join(directory, 'configuration.js')
    for (const candidate of [
      () => resolve(name, pathToFileURL(parent).href),
      () => pathToFileURL(createRequire(parent).resolve(name)).href,
      // `sinks/mine.js` is a path too, though Node would take it for a package called `sinks`.
      () => (/\.[cm]?js$/.test(name) ? pathToFileURL(join(directory, name)).href : ''),
    ]) {
      const url = attempt(candidate)
      if (url?.startsWith('file:') && (await isFile(fileURLToPath(url)))) return url
    }
  }
  return undefined
}

/** Both resolvers throw for what they do not find; that is their answer, not a failure. */
function attempt(resolver: () => string): string | undefined {
  try {
    return resolver()
  } catch {
    return undefined
  }
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isFile() ?? false
}
