// A copy of the repository that can be changed and compiled. What npm installed is linked, not copied; the
// workspaces' links to each other lead into the copy.
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'

const LEFT_OUT = new Set(['node_modules', '.git', '.bench', '.full', '.millrace', 'coverage'])

export function copyRepository(root) {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-sabotage-')))
  cpSync(root, copy, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) })
  const places = ['', 'agent-core', 'test']
  for (const folder of ['packages', 'appenders', 'examples'])
    for (const name of readdirSync(join(root, folder))) places.push(join(folder, name))
  for (const place of places) {
    const modules = join(root, place, 'node_modules')
    if (existsSync(modules)) linkModules(modules, join(copy, relative(root, modules)))
  }
  return copy
}

function linkModules(from, to) {
  mkdirSync(to, { recursive: true })
  for (const name of readdirSync(from)) {
    const entry = join(from, name)
    if (lstatSync(entry).isSymbolicLink()) symlinkSync(readlinkSync(entry), join(to, name))
    // It loads our package by name, from where it lies itself.
    else if (name === 'log4js') cpSync(entry, join(to, name), { recursive: true })
    else if (name.startsWith('@') || name === '.bin') linkModules(entry, join(to, name))
    else symlinkSync(entry, join(to, name))
  }
}
