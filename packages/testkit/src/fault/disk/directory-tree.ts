import { FileContent, type Survival } from './file-content.js'

/** A directory twice: its entries as a process sees them, and as they are on the disk. */
class DirectoryNode {
  readonly entries = new Map<string, Node>()
  readonly durable = new Map<string, Node>()
}

type Node = DirectoryNode | FileContent

interface EntryEdit {
  readonly directory: DirectoryNode
  readonly name: string
  /** Undefined: the entry goes. */
  readonly node: Node | undefined
}

/** One call that changed entries and is not safe yet. */
interface EntryChange {
  readonly stamp: number
  /** In the order in which they may become durable: what a rename gives comes before what it takes. */
  edits: readonly EntryEdit[]
}

/** An error as Node's `fs` gives it. */
export function diskError(code: string, call: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${call} '${path}'`), { code, syscall: call, path })
}

/**
 * The directories and files of a simulated disk. An entry that was made, renamed or removed is safe once its
 * directory was synced; until then a power loss may undo it, whatever was synced in the file itself.
 */
export class DirectoryTree {
  #root = new DirectoryNode()
  #changes: EntryChange[] = []

  /** The file at a path. */
  file(path: string): FileContent {
    const node = this.#find(path)
    if (node === undefined) throw diskError('ENOENT', 'open', path)
    if (node instanceof DirectoryNode) throw diskError('EISDIR', 'open', path)
    return node
  }

  find(path: string): { readonly isFile: boolean; readonly size: number } | undefined {
    const node = this.#find(path)
    if (node === undefined) return undefined
    return node instanceof FileContent
      ? { isFile: true, size: node.size }
      : { isFile: false, size: 0 }
  }

  list(path: string): string[] {
    return [...this.#directory(path, 'scandir').entries.keys()]
  }

  create(path: string, stamp: number): FileContent {
    if (this.#find(path)) throw diskError('EEXIST', 'open', path)
    const content = new FileContent()
    this.#change(stamp, [this.#edit(path, content, 'open')])
    return content
  }

  makeDirectory(path: string, stamp: number): void {
    if (this.#find(path)) throw diskError('EEXIST', 'mkdir', path)
    this.#change(stamp, [this.#edit(path, new DirectoryNode(), 'mkdir')])
  }

  rename(from: string, to: string, stamp: number): void {
    const node = this.#find(from)
    if (!node) throw diskError('ENOENT', 'rename', from)
    this.#change(stamp, [this.#edit(to, node, 'rename'), this.#edit(from, undefined, 'rename')])
  }

  remove(path: string, stamp: number): void {
    const node = this.#find(path)
    if (!node) throw diskError('ENOENT', 'unlink', path)
    if (node instanceof DirectoryNode) throw diskError('EISDIR', 'unlink', path)
    this.#change(stamp, [this.#edit(path, undefined, 'unlink')])
  }

  /**
   * Makes the entries of one directory safe. Of a rename between two directories the new entry becomes safe with
   * either of them, the removal of the old one with its own: a file may have two names, but is never without one.
   */
  sync(path: string): void {
    const directory = this.#directory(path, 'fsync')
    for (const change of this.#changes) {
      const last = change.edits.findLastIndex((edit) => edit.directory === directory)
      for (const edit of change.edits.slice(0, last + 1)) apply(edit, edit.directory.durable)
      change.edits = change.edits.slice(last + 1)
    }
    this.#changes = this.#changes.filter((change) => change.edits.length > 0)
  }

  /** Every file with its path. */
  *files(): Generator<{ readonly path: string; readonly content: FileContent }> {
    yield* filesIn(this.#root, '')
  }

  /** Stamp of the oldest change that a power loss can undo; infinite when there is none. */
  get oldestUnsynced(): number {
    let oldest = this.#changes[0]?.stamp ?? Number.POSITIVE_INFINITY
    for (const { content } of this.files()) oldest = Math.min(oldest, content.oldestUnsynced)
    return oldest
  }

  /** The tree as a power loss leaves it. */
  afterPowerLoss(survival: Survival): DirectoryTree {
    const entries = new Map<DirectoryNode, Map<string, Node>>()
    const entriesOf = (directory: DirectoryNode) => {
      const found = entries.get(directory) ?? new Map(directory.durable)
      entries.set(directory, found)
      return found
    }
    for (const change of this.#changes) {
      if (!survival.keeps(change.stamp)) continue
      const [first, ...others] = change.edits
      if (first) apply(first, entriesOf(first.directory))
      for (const edit of others) {
        const isSplit = edit.directory !== first?.directory && survival.random() < 0.25
        if (!isSplit) apply(edit, entriesOf(edit.directory))
      }
    }
    return this.#copy(entriesOf, (content) => content.afterPowerLoss(survival))
  }

  /** An independent copy of what a process sees, all of it durable. */
  clone(): DirectoryTree {
    return this.#copy(
      (directory) => directory.entries,
      (content) => content.clone(),
    )
  }

  #copy(
    entriesOf: (directory: DirectoryNode) => ReadonlyMap<string, Node>,
    copyOf: (content: FileContent) => FileContent,
  ): DirectoryTree {
    const copies = new Map<Node, Node>()
    const copyNode = (node: Node): Node => {
      const known = copies.get(node)
      if (known) return known
      const copy = node instanceof FileContent ? copyOf(node) : copyDirectory(node)
      copies.set(node, copy)
      return copy
    }
    const copyDirectory = (directory: DirectoryNode): DirectoryNode => {
      const copy = new DirectoryNode()
      for (const [name, node] of entriesOf(directory)) {
        const child = copyNode(node)
        copy.entries.set(name, child)
        copy.durable.set(name, child)
      }
      return copy
    }
    const tree = new DirectoryTree()
    tree.#root = copyDirectory(this.#root)
    return tree
  }

  #change(stamp: number, edits: readonly EntryEdit[]): void {
    for (const edit of edits) apply(edit, edit.directory.entries)
    this.#changes.push({ stamp, edits })
  }

  #edit(path: string, node: Node | undefined, call: string): EntryEdit {
    const cut = path.lastIndexOf('/')
    return { directory: this.#directory(path.slice(0, cut), call), name: path.slice(cut + 1), node }
  }

  #directory(path: string, call: string): DirectoryNode {
    const node = this.#find(path)
    if (!node) throw diskError('ENOENT', call, path)
    if (node instanceof FileContent) throw diskError('ENOTDIR', call, path)
    return node
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root
    for (const name of path.split('/')) {
      if (name === '') continue
      node = node instanceof DirectoryNode ? node.entries.get(name) : undefined
    }
    return node
  }
}

function apply(edit: EntryEdit, entries: Map<string, Node>): void {
  if (edit.node) entries.set(edit.name, edit.node)
  else entries.delete(edit.name)
}

function* filesIn(
  directory: DirectoryNode,
  prefix: string,
): Generator<{ readonly path: string; readonly content: FileContent }> {
  for (const [name, node] of directory.entries) {
    if (node instanceof FileContent) yield { path: `${prefix}/${name}`, content: node }
    else yield* filesIn(node, `${prefix}/${name}`)
  }
}
