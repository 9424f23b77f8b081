import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './repository.js'

/** The JavaScript blocks of a page, with another port for the receiver than the documented one. */
export function javascriptBlocks(page: string, port: number): string[] {
  const text = readFileSync(join(repository, page), 'utf8')
  const blocks = [...text.matchAll(/^```js\n([^]*?)^```$/gm)]
  return blocks.map((block) => (block[1] ?? '').replaceAll('41414', String(port)))
}
