import assert from 'node:assert/strict'
import { repliesOf, unprovenReplies } from '../../support/strace/order-proof.js'
import { readTrace } from '../../support/strace/trace.js'

const FILE = '/data/segment-0000000001.wal'
const SOCKET = 'TCP:[127.0.0.1:4141->127.0.0.1:50001]'
const OK = '"\\0\\0\\0\\7\\0\\0\\0\\1\\0\\0\\0\\3\\0\\0\\0"'

/** A trace: each line by thread 7 or, with a star, by thread 8. */
function trace(...lines: string[]): string {
  return lines
    .map((line, i) =>
      line.startsWith('*')
        ? `8     1700000000.${100 + i} ${line.slice(1)}`
        : `7     1700000000.${100 + i} ${line}`,
    )
    .join('\n')
}

const write = `pwritev(18<${FILE}>, [{iov_base="head\\0", iov_len=5}, {iov_base="m-1 x", iov_len=5}], 2, 4096) = 10`
const sync = `fdatasync(18<${FILE}>) = 0`
const reply = `write(21<${SOCKET}>, ${OK}, 15) = 15`

function unproven(...lines: string[]): number {
  const calls = readTrace(trace(...lines))
  const replies = repliesOf(calls, 4_141).map((each) => ({ reply: each, marker: 'm-1 ' }))
  assert.equal(replies.length, 1)
  assert.equal(replies[0]?.reply.serial, 7)
  return unprovenReplies(calls, ['/data'], replies).length
}

describe('a trace of system calls', () => {
  it('gives targets, bytes and results, also with escapes and of calls cut in two', () => {
    const calls = readTrace(
      trace(
        'write(3</a "q" b>, "a\\n\\33\\"\\\\\\3777", 7 <unfinished ...>',
        '*fdatasync(4</c>) = -1 EIO (Input/output error)',
        '<... write resumed>) = 7',
        '*+++ exited with 0 +++',
        'fsync(5</d> <unfinished ...>',
      ),
    )
    assert.deepEqual(
      calls.map(({ name, target, begin, end, result }) => [name, target, begin, end, result]),
      [
        ['write', '/a "q" b', 0, 2, 7],
        ['fdatasync', '/c', 1, 1, -1],
        ['fsync', '/d', 4, Number.POSITIVE_INFINITY, undefined],
      ],
    )
    assert.deepEqual(calls[0]?.data.subarray(-7), Buffer.from('a\n\x1b"\\\xff7', 'latin1'))
  })

  it('proves a reply behind a sync behind the write', () => {
    assert.equal(unproven(write, sync, reply), 0)
    assert.equal(
      unproven(
        write,
        `*fdatasync(18<${FILE}> <unfinished ...>`,
        'fsync(3</x>) = 0',
        '*<... fdatasync resumed>) = 0',
        reply,
      ),
      0,
    )
  })

  it('does not prove a reply without a sync, or with one that failed, came early or is of another file', () => {
    assert.equal(unproven(write, reply), 1)
    assert.equal(unproven(write, reply, sync), 1)
    assert.equal(unproven(sync, write, reply), 1)
    assert.equal(unproven(write, sync.replace('= 0', '= -1 EIO (Input/output error)'), reply), 1)
    assert.equal(unproven(write, sync.replace(FILE, '/data/other'), reply), 1)
    assert.equal(unproven(write.replace('= 10', '= 4'), sync, reply), 1)
    assert.equal(
      unproven(
        write,
        `*fdatasync(18<${FILE}> <unfinished ...>`,
        reply,
        '*<... fdatasync resumed>) = 0',
      ),
      1,
    )
    assert.equal(
      unproven(
        `*fdatasync(18<${FILE}> <unfinished ...>`,
        write,
        '*<... fdatasync resumed>) = 0',
        reply,
      ),
      1,
    )
  })
})
