/**
 * Reads what `strace -f -ttt -yy` has written. A line of its output is a moment at which the tracer saw
 * a call begin, end, or (nothing else happened between) both, so line numbers say what came before what.
 */

export interface SystemCall {
  readonly thread: number
  readonly name: string
  /** Of the first argument, a file descriptor: a path, or `TCP:[LOCAL->REMOTE]`. */
  readonly target: string
  /** The strings among the arguments, one behind the other. */
  readonly data: Buffer
  /** Line at which it began. */
  readonly begin: number
  /** Line at which it had returned; infinite when that was not seen. */
  readonly end: number
  /** When it began, in epoch milliseconds. */
  readonly atMs: number
  /** Undefined when its end was not seen. */
  readonly result: number | undefined
}

interface Begun {
  readonly text: string
  readonly line: number
  readonly atMs: number
}

const LINE = /^(\d+) +(\d+\.\d+) (.*)$/
const UNFINISHED = / <unfinished \.\.\.>$/
const RESUMED = /^<\.\.\. \w+ resumed>/
const CALL = /^(\w+)\(\d+<(.*?)>(?=[,)]|$)/
/** Not at the end of the line: behind an error stands its name, behind some results a remark. */
const RESULT = /\) += (-?\d+)(?: |$)/g

/** The calls whose first argument is a file descriptor, in the order in which they began. */
export function readTrace(text: string): SystemCall[] {
  const calls: SystemCall[] = []
  const begun = new Map<number, Begun>()
  text.split('\n').forEach((each, line) => {
    const [, pid = '', seconds = '', rest = ''] = LINE.exec(each) ?? []
    const thread = Number(pid)
    const atMs = Number(seconds) * 1_000
    if (UNFINISHED.test(rest)) {
      begun.set(thread, { text: rest.replace(UNFINISHED, ''), line, atMs })
      return
    }
    const earlier = RESUMED.test(rest) ? begun.get(thread) : undefined
    if (!earlier) {
      add(calls, { thread, begun: { text: rest, line, atMs }, end: line })
      return
    }
    begun.delete(thread)
    const whole = earlier.text + rest.replace(RESUMED, '')
    add(calls, { thread, begun: { ...earlier, text: whole }, end: line })
  })
  for (const [thread, each] of begun) {
    add(calls, { thread, begun: each, end: Number.POSITIVE_INFINITY })
  }
  return calls.toSorted((a, b) => a.begin - b.begin)
}

function add(
  calls: SystemCall[],
  { thread, begun, end }: { thread: number; begun: Begun; end: number },
): void {
  const [, name, target] = CALL.exec(begun.text) ?? []
  if (name === undefined || target === undefined) return
  const result = Number.isFinite(end) ? [...begun.text.matchAll(RESULT)].at(-1)?.[1] : undefined
  calls.push({
    thread,
    name,
    target,
    data: stringsOf(begun.text),
    begin: begun.line,
    end,
    atMs: begun.atMs,
    result: result === undefined ? undefined : Number(result),
  })
}

const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12 }
const STRING = /"((?:[^"\\]|\\.)*)"/g
const PART = /\\([0-7]{1,3})|\\x([0-9a-f]{2})|\\(.)|([^\\]+)/g

/** The bytes that C strings stand for. */
function stringsOf(text: string): Buffer {
  const parts: Buffer[] = []
  for (const [, content = ''] of text.matchAll(STRING)) {
    for (const [, octal, hex, letter, plain] of content.matchAll(PART)) {
      if (plain !== undefined) parts.push(Buffer.from(plain, 'latin1'))
      else if (octal !== undefined) parts.push(Buffer.from([Number.parseInt(octal, 8)]))
      else if (hex !== undefined) parts.push(Buffer.from([Number.parseInt(hex, 16)]))
      else parts.push(Buffer.from([ESCAPES[letter ?? ''] ?? (letter ?? '').charCodeAt(0)]))
    }
  }
  return Buffer.concat(parts)
}

export const WRITES = ['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2']
export const SYNCS = ['fsync', 'fdatasync']
/** What is to be traced for a proof. */
export const TRACED = [...WRITES, ...SYNCS, 'sendto', 'sendmsg']
