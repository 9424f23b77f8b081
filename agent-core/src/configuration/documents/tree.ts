/** What JSON, YAML and JavaScript have in common, and how it becomes the keys of a properties file. */
import { FAMILIES } from '../families.js'
import type { PropertyEntry } from '../properties.js'

export interface Scalar {
  readonly kind: 'scalar'
  readonly text: string
  readonly line: number
}

export interface Pair {
  readonly key: string
  readonly line: number
  readonly value: Tree
}

export interface TreeMap {
  readonly kind: 'map'
  readonly pairs: readonly Pair[]
  readonly line: number
}

export interface TreeList {
  readonly kind: 'list'
  readonly items: readonly Tree[]
  readonly line: number
}

export type Tree = Scalar | TreeMap | TreeList

/** Something that a tree cannot say. */
export interface TreeProblem {
  readonly key: string
  readonly line: number
  readonly message: string
}

export interface Flattened {
  readonly entries: readonly PropertyEntry[]
  readonly problems: readonly TreeProblem[]
}

/** Of a component: false keeps its settings and leaves it out of the agent. */
export const ENABLED = 'enabled'

/** The entries that a properties file with the same meaning has, in the order of the tree. */
export function flatten(root: Tree): Flattened {
  const flattening = new Flattening()
  flattening.root(root)
  return flattening
}

class Flattening implements Flattened {
  readonly entries: PropertyEntry[] = []
  readonly problems: TreeProblem[] = []

  root(root: Tree): void {
    if (root.kind !== 'map') {
      this.#problem('', root.line, 'the file must hold agents by their names')
      return
    }
    for (const { key, line, value } of root.pairs) {
      if (value.kind === 'map') this.#agent(key, value)
      else this.#setting(key, line, value)
    }
  }

  #agent(agent: string, { pairs }: TreeMap): void {
    for (const { key, line, value } of pairs) {
      const whole = `${agent}.${key}`
      if (value.kind === 'map' && FAMILIES.some((each) => each === key)) {
        this.#components(whole, line, value)
      } else this.#setting(whole, line, value)
    }
  }

  /** A list of names, and under each what it is. */
  #components(list: string, line: number, { pairs }: TreeMap): void {
    const enabled = pairs.filter(({ value }) => !isDisabled(value))
    this.#add(list, line, enabled.map(({ key }) => key).join(' '))
    for (const { key, line: at, value } of pairs) {
      if (value.kind !== 'map') {
        this.#problem(`${list}.${key}`, at, 'its settings must stand under their names')
        continue
      }
      for (const setting of value.pairs) {
        if (setting.key === ENABLED) continue
        const whole = `${list}.${key}.${setting.key}`
        if (setting.key === 'interceptors') this.#interceptors(whole, setting.line, setting.value)
        else this.#setting(whole, setting.line, setting.value)
      }
    }
  }

  /** By their names, or as a list in which each has a `name`. */
  #interceptors(list: string, line: number, value: Tree): void {
    if (value.kind === 'map') this.#components(list, line, value)
    else if (value.kind === 'list' && value.items.some(({ kind }) => kind === 'map')) {
      const pairs = value.items.flatMap((item): Pair[] => {
        const name = item.kind === 'map' ? item.pairs.find(({ key }) => key === 'name') : undefined
        if (item.kind !== 'map' || name?.value.kind !== 'scalar') {
          this.#problem(list, item.line, 'each interceptor in a list needs a name')
          return []
        }
        const settings = item.pairs.filter((each) => each !== name)
        return [{ key: name.value.text, line: item.line, value: { ...item, pairs: settings } }]
      })
      this.#components(list, line, { kind: 'map', pairs, line: value.line })
    } else this.#setting(list, line, value)
  }

  #setting(key: string, line: number, value: Tree): void {
    if (value.kind === 'scalar') this.#add(key, line, value.text)
    else if (value.kind === 'map') {
      for (const pair of value.pairs) this.#setting(`${key}.${pair.key}`, pair.line, pair.value)
    } else {
      const texts = value.items.flatMap((item) => {
        if (item.kind === 'scalar') return [item.text]
        this.#problem(key, item.line, 'a list holds texts and numbers only')
        return []
      })
      this.#add(key, line, texts.join(' '))
    }
  }

  #add(key: string, line: number, value: string): void {
    this.entries.push({ key, value, line })
  }

  #problem(key: string, line: number, message: string): void {
    this.problems.push({ key, line, message })
  }
}

function isDisabled(value: Tree): boolean {
  if (value.kind !== 'map') return false
  const flag = value.pairs.find(({ key }) => key === ENABLED)?.value
  return flag?.kind === 'scalar' && flag.text.toLowerCase() === 'false'
}
