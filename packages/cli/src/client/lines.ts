/** Bytes of lines out of a stream, as they come. */
const NEWLINE = 0x0a
const RETURN = 0x0d

/** A longer line becomes several events, so that a file without newlines costs no more memory. */
export const MAX_LINE_BYTES = 1024 * 1024

/**
 * The lines of each chunk that comes, without their ends (LF or CR LF). A last line without an end is
 * a line, as for Flume.
 */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer[]> {
  let rest: Buffer[] = []
  let restBytes = 0
  for await (const chunk of chunks) {
    const lines: Buffer[] = []
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(...cut(Buffer.concat([...rest, chunk.subarray(start, end)])))
      rest = []
      restBytes = 0
      start = end + 1
    }
    rest.push(chunk.subarray(start))
    restBytes += chunk.length - start
    if (restBytes > MAX_LINE_BYTES) {
      const whole = Buffer.concat(rest)
      const keep = whole.length % MAX_LINE_BYTES
      lines.push(...pieces(whole.subarray(0, whole.length - keep)))
      rest = [whole.subarray(whole.length - keep)]
      restBytes = keep
    }
    if (lines.length > 0) yield lines
  }
  const last = Buffer.concat(rest)
  if (last.length > 0) yield cut(last)
}

/** A line without its CR, in pieces of the longest line. */
function cut(line: Buffer): Buffer[] {
  return pieces(line.at(-1) === RETURN ? line.subarray(0, -1) : line)
}

function pieces(line: Buffer): Buffer[] {
  if (line.length <= MAX_LINE_BYTES) return [line]
  const parts: Buffer[] = []
  for (let at = 0; at < line.length; at += MAX_LINE_BYTES)
    parts.push(line.subarray(at, at + MAX_LINE_BYTES))
  return parts
}
