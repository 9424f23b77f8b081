/** Configurations in JavaScript: a module whose default export is what `defineAgent` gives. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { messageOf } from '@millrace/runtime'
import type { BuiltinComponent } from '../../registry.js'
import { isDefinition } from '../module-types.js'
import type { Tree, TreeProblem } from './tree.js'

export interface ScriptDocument {
  readonly tree: Tree | undefined
  readonly problems: readonly TreeProblem[]
  /** Components that stand in the module itself, under the types that the tree gives them. */
  readonly components: readonly BuiltinComponent[]
}

/** Imports the module, anew when the file has changed: that runs its code. */
export async function readScript(file: string): Promise<ScriptDocument> {
  const path = resolve(file)
  try {
    const { mtimeNs } = await stat(path, { bigint: true })
    const url = `${pathToFileURL(path).href}?version=${mtimeNs}`
    const module = (await import(url)) as { readonly default?: unknown }
    const reader = new ValueReader()
    const value = typeof module.default === 'function' ? await module.default() : module.default
    return { tree: reader.read(value, []), problems: [], components: reader.components }
  } catch (error) {
    const message = `could not be loaded: ${messageOf(error)}`
    return { tree: undefined, problems: [{ key: '', line: 1, message }], components: [] }
  }
}

class ValueReader {
  readonly components: BuiltinComponent[] = []

  read(value: unknown, path: readonly string[]): Tree {
    const line = 1
    if (isDefinition(value)) {
      const alias = `${path.slice(0, -1).join('.')} (in the file itself)`
      const load = () => Promise.resolve(value)
      this.components.push({ kind: value.kind, alias, classNames: [], load })
      return { kind: 'scalar', text: alias, line }
    }
    if (Array.isArray(value)) {
      return {
        kind: 'list',
        items: value.map((item, i) => this.read(item, [...path, String(i)])),
        line,
      }
    }
    if (typeof value === 'object' && value !== null) {
      const pairs = Object.entries(value)
        .filter(([, each]) => each !== undefined)
        .map(([key, each]) => ({ key, line, value: this.read(each, [...path, key]) }))
      return { kind: 'map', pairs, line }
    }
    return {
      kind: 'scalar',
      text: value === null || value === undefined ? '' : `${value as string | number | boolean}`,
      line,
    }
  }
}
