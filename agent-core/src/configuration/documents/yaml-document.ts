/** YAML 1.2, of which JSON is a part, with the line of everything. Numbers stay as they are written. */
import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap,
} from 'yaml'
import type { Pair, Tree, TreeProblem } from './tree.js'

/** Most nodes of one file, aliases followed. */
const MAX_NODES = 100_000
const MERGE = '<<'

export interface ParsedTree {
  readonly tree: Tree | undefined
  readonly problems: readonly TreeProblem[]
}

export function parseYaml(text: string, format: 'json' | 'yaml'): ParsedTree {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    // What stands twice is found where the keys of all formats are.
    uniqueKeys: false,
    prettyErrors: false,
    ...(format === 'json' ? { schema: 'json', strict: true } : {}),
  })
  const problems = document.errors.map(({ message, pos }) => ({
    key: '',
    line: lines.linePos(pos[0]).line,
    message: `is not ${format === 'json' ? 'JSON' : 'YAML'}: ${message}`,
  }))
  if (problems.length > 0) return { tree: undefined, problems }
  return new TreeReader(document, lines).read()
}

class TreeReader {
  readonly #document: Document
  readonly #lines: LineCounter
  readonly #problems: TreeProblem[] = []
  /** What each alias stands for, which is slow to find. */
  readonly #targets = new Map<unknown, unknown>()
  #nodes = 0

  constructor(document: Document, lines: LineCounter) {
    this.#document = document
    this.#lines = lines
  }

  read(): ParsedTree {
    const tree = this.#tree(this.#document.contents, 1)
    return { tree, problems: this.#problems }
  }

  #tree(node: unknown, fallbackLine: number): Tree {
    const line = this.#lineOf(node) ?? fallbackLine
    this.#nodes += 1
    if (this.#nodes > MAX_NODES) {
      if (this.#nodes === MAX_NODES + 1) {
        this.#problems.push({ key: '', line, message: `has more than ${MAX_NODES} values` })
      }
      return { kind: 'scalar', text: '', line }
    }
    if (isAlias(node)) {
      const target = this.#targets.get(node) ?? node.resolve(this.#document)
      this.#targets.set(node, target)
      return { ...this.#tree(target, line), line }
    }
    if (isMap(node)) return { kind: 'map', pairs: this.#pairs(node, line), line }
    if (isSeq(node)) {
      return { kind: 'list', items: node.items.map((item) => this.#tree(item, line)), line }
    }
    return { kind: 'scalar', text: textOf(node), line }
  }

  #pairs(map: YAMLMap, line: number): Pair[] {
    const pairs: Pair[] = []
    const merged: Pair[] = []
    for (const item of map.items) {
      if (!isPair(item)) continue
      const at = this.#lineOf(item.key) ?? line
      const key = textOf(item.key)
      const value = this.#tree(item.value, at)
      if (key === MERGE && value.kind === 'map') merged.push(...value.pairs)
      else pairs.push({ key, line: at, value })
    }
    const own = new Set(pairs.map(({ key }) => key))
    return [...merged.filter(({ key }) => !own.has(key)), ...pairs]
  }

  #lineOf(node: unknown): number | undefined {
    const range = (node as Node | null | undefined)?.range
    return range ? this.#lines.linePos(range[0]).line : undefined
  }
}

/** A plain scalar as it is written: `007` and `1e3` mean something to whoever wrote them. */
function textOf(node: unknown): string {
  if (!isScalar(node) || node.value === null) return ''
  if (typeof node.value === 'string') return node.value
  return node.source ?? `${node.value as number | boolean}`
}
