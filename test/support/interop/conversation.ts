/** Recorded conversations of real clients and servers, as files that a person can read. */
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { repository } from '../repository.js'

export type Who = 'client' | 'server'

/** What one side says until the other answers. */
export interface Step {
  readonly who: Who
  readonly octets: Buffer
}

export interface Conversation {
  /** Of its file, without the ending. */
  readonly name: string
  /** Who speaks, and about what. */
  readonly about: string
  readonly compression: 'none' | 'deflate'
  /** The steps of each connection, one connection after the other. */
  readonly connections: readonly (readonly Step[])[]
}

export const conversationsDirectory = join(repository, 'test', 'golden', 'conversations')

const OCTETS_OF_A_LINE = 64

function hexLines(octets: Buffer): string[] {
  const lines: string[] = []
  for (let at = 0; at < octets.length; at += OCTETS_OF_A_LINE)
    lines.push(`  ${octets.toString('hex', at, Math.min(octets.length, at + OCTETS_OF_A_LINE))}`)
  return lines
}

/** Writes the conversation into its file. */
export function writeConversation(conversation: Conversation): void {
  const { name, about, compression, connections } = conversation
  const lines = [`about ${about}`, `compression ${compression}`]
  for (const steps of connections) {
    lines.push('connection')
    for (const { who, octets } of steps) lines.push(who, ...hexLines(octets))
  }
  writeFileSync(join(conversationsDirectory, `${name}.txt`), `${lines.join('\n')}\n`)
}

/** Reads a file that {@link writeConversation} wrote. */
export function readConversation(path: string): Conversation {
  const text = readFileSync(path, 'utf8')
  const field = (key: string) => new RegExp(`^${key} (.*)$`, 'm').exec(text)?.[1] ?? ''
  const [, ...connections] = text.split(/^connection$/m)
  return {
    name: basename(path, '.txt'),
    about: field('about'),
    compression: field('compression') === 'deflate' ? 'deflate' : 'none',
    connections: connections.map((part) =>
      [...part.matchAll(/^(client|server)\n((?: {2}[\da-f]+\n)+)/gm)].map(
        ([, who, octets = '']) => ({
          who: who === 'client' ? 'client' : 'server',
          octets: Buffer.from(octets.replaceAll(/\s/g, ''), 'hex'),
        }),
      ),
    ),
  }
}
