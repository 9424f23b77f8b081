// Breakages of the RPC server: handshake, calls, answers, limits, layers.
const rpc = (path) => `packages/rpc/src/${path}`
const session = rpc('server/session.ts')
const server = rpc('server/avro-rpc-server.ts')
const replies = rpc('server/reply-queue.ts')
const handshake = rpc('server/handshake-answer.ts')
const protocols = rpc('server/known-protocols.ts')
const admission = rpc('server/admission.ts')
const unfinished = rpc('server/unfinished-timer.ts')

export const RPC_SERVER = [
  {
    name: 'OK before the handler has stored',
    file: session,
    replace: [
      [
        '    stored.then(\n      () => this.#settle(call, handshake.length === 0 ? OK_REPLY : okAfter(handshake)),',
        '    this.#settle(call, handshake.length === 0 ? OK_REPLY : okAfter(handshake))\n    stored.then(\n      () => {},',
      ],
    ],
  },
  {
    name: 'pipelined calls are answered as they are stored, in any order',
    file: replies,
    replace: [
      [
        '    const calls = this.#calls\n    const first = this.#head\n',
        '    const calls = this.#calls\n    const first = this.#head\n    calls.sort((a, b) => Number(b.buffers !== undefined) - Number(a.buffers !== undefined))\n',
      ],
      ['    return this.#calls[this.#head] === call\n', '    return call !== undefined\n'],
    ],
  },
  {
    name: 'pipelined calls are begun in another order',
    file: session,
    replace: [
      [
        '      return this.#host.handler[name](batch, this.#context)\n',
        '      return Promise.resolve(batch.size > 1 ? undefined : new Promise(setImmediate)).then(() => this.#host.handler[name](batch, this.#context))\n',
      ],
    ],
  },
  {
    name: 'a call waits for the one before it',
    file: session,
    replace: [
      [
        '      return this.#host.handler[name](batch, this.#context)\n',
        '      this.last = Promise.resolve(this.last).catch(() => {}).then(() => this.#host.handler[name](batch, this.#context))\n      return this.last\n',
      ],
    ],
  },
  {
    name: 'the serial of an answer is not that of its request',
    file: replies,
    replace: [['  target.writeInt32BE(serial, position)\n', '']],
  },
  {
    name: 'answers that settle together: the last of them stays behind',
    file: replies,
    replace: [
      [
        '    this.#head = end\n',
        '    this.#head = Math.max(1, end)\n    if (end > 2) this.#calls.pop()\n',
      ],
    ],
  },
  {
    name: 'the handshake stands in front of every answer',
    file: session,
    replace: [
      [
        'this.#beginCall(reader.start, this.#decoder, NO_HANDSHAKE)',
        'this.#beginCall(reader.start, this.#decoder, Buffer.alloc(4))',
      ],
    ],
  },
  {
    name: 'a second handshake on a connection is taken',
    file: session,
    replace: [
      [
        '      if (this.#decoder) this.#beginCall',
        '      if (this.#decoder && reader.bytes[reader.start] !== 0x86) this.#beginCall',
      ],
    ],
  },
  {
    name: 'each call needs its handshake',
    file: session,
    replace: [['      this.#decoder = answer.decoder\n', '']],
  },
  {
    name: 'the call behind NONE runs',
    file: handshake,
    replace: [
      [
        '    if (request.clientProtocol === undefined) return { buffers: NONE_REPLY }\n',
        '    if (request.clientProtocol === undefined) return { decoder: protocols.get(SOURCE_PROTOCOL_HASH), position, handshake: NONE_REPLY[0] }\n',
      ],
    ],
  },
  {
    name: 'BOTH to a client that guesses our hash wrong',
    file: handshake,
    replace: [
      [
        '.equals(SOURCE_PROTOCOL_HASH) ? BOTH : CLIENT',
        '.equals(SOURCE_PROTOCOL_HASH) ? BOTH : BOTH',
      ],
    ],
  },
  {
    name: 'the hash of Flume 1.2 is unknown',
    file: protocols,
    replace: [['    this.#own.set(keyOf(FLUME_1_2_PROTOCOL_HASH), scanningDecoder)\n', '']],
  },
  {
    name: 'protocols of foreign clients are remembered without end',
    file: protocols,
    replace: [['this.#learned.size >= MAX_REMEMBERED && ', 'this.#learned.size < 0 && ']],
  },
  {
    name: 'calls behind a foreign handshake are read before its schema is there',
    file: session,
    replace: [['    this.#pause(PAUSED_BY_HANDSHAKE)\n', '']],
  },
  {
    name: 'a batch that fails otherwise is a system error',
    file: session,
    replace: [["name === 'appendBatch' || isRefused", 'isRefused']],
  },
  {
    name: 'an append that a channel refuses is a system error',
    file: session,
    replace: [["name === 'appendBatch' || isRefused", "name === 'appendBatch'"]],
  },
  {
    name: 'a peer that closed its side loses its answers',
    file: session,
    replace: [
      [
        '    this.finish(this.#lingerMs ?? LAST_ANSWERS_MS)\n  }\n\n  #endWhenAnswered',
        '    this.#stream.destroy()\n  }\n\n  #endWhenAnswered',
      ],
    ],
  },
  {
    name: 'a stop does not wait for answers',
    file: session,
    replace: [['    if (this.#replies.size > 0) return\n', '']],
  },
  {
    name: 'a stop goes on reading calls',
    file: session,
    replace: [
      [
        '    if (this.#isEnding || this.#isClosed) return\n    this.#reader.push(chunk)\n',
        '    if (this.#isClosed) return\n    this.#reader.push(chunk)\n',
      ],
    ],
  },
  {
    name: 'the handler is not told that its peer is lost',
    file: session,
    replace: [['    this.#context.abort()\n    this.#host.ended()\n', '    this.#host.ended()\n']],
  },
  {
    name: 'the window of a connection is not looked at',
    file: session,
    replace: [
      [
        '    if (this.#pendingBytes > this.#host.limits.maxPendingBytesPerConnection) {',
        '    if (this.#pendingBytes < 0) {',
      ],
    ],
  },
  {
    name: 'the window of a connection never opens again',
    file: session,
    replace: [
      [
        '    if (this.#pendingBytes <= this.#host.limits.maxPendingBytesPerConnection) {',
        '    if (this.#pendingBytes < 0) {',
      ],
    ],
  },
  {
    name: 'a peer that does not read its answers is read on',
    file: session,
    replace: [
      [
        '    if (!this.#stream.write(settled.frames)) this.#pause(PAUSED_BY_PEER)\n',
        '    this.#stream.write(settled.frames)\n',
      ],
    ],
  },
  {
    name: 'unanswered calls of a lost connection are counted for ever',
    file: session,
    replace: [
      [
        '    this.#host.admission.callEnded(this.#pendingBytes)\n    this.#host.admission.forget(this)\n',
        '    this.#host.admission.forget(this)\n',
      ],
    ],
  },
  {
    name: 'the unfinished frame of a lost connection is counted for ever',
    file: session,
    replace: [['    this.#host.admission.partialChanged(this.#partialBytes, 0)\n', '']],
  },
  {
    name: 'each octet gives a frame its time anew',
    file: session,
    replace: [
      ['frameTimeoutMs : handshakeTimeoutMs, isNew)', 'frameTimeoutMs : handshakeTimeoutMs, true)'],
    ],
  },
  {
    name: 'a handshake has the time of a frame',
    file: session,
    replace: [['this.#decoder ? frameTimeoutMs : handshakeTimeoutMs, ', 'frameTimeoutMs, ']],
  },
  {
    name: 'an unfinished frame is looked at once',
    file: unfinished,
    replace: [
      [
        '    if (leftMs > 0) this.#arm(leftMs)\n    else this.#onLate',
        '    if (leftMs <= 0) this.#onLate',
      ],
    ],
  },
  {
    name: 'one connection more than maxConnections',
    file: server,
    replace: [
      [
        'server.maxConnections = this.#limits.maxConnections\n',
        'server.maxConnections = this.#limits.maxConnections + 1\n',
      ],
    ],
  },
  {
    name: 'who is filtered comes in',
    file: server,
    replace: [
      [
        '    else if (accepted === false) this.#refuse(connection)\n',
        '    else if (accepted === false) this.#open(connection, remoteAddress)\n',
      ],
    ],
  },
  {
    name: 'who is filtered by name comes in',
    file: server,
    replace: [['(late) => (late ? this.#open', '(late) => (late !== undefined ? this.#open']],
  },
  {
    name: 'memory of all connections is not looked at',
    file: admission,
    replace: [
      [
        '    if (this.heldBytes <= this.#maxBytes || holder',
        '    if (this.heldBytes >= 0 || holder',
      ],
    ],
  },
  {
    name: 'connections that wait for memory wait for ever',
    file: admission,
    replace: [
      ['    if (this.#waiting.size + this.#waitingWithLittle.size > 0) this.#balance()\n', ''],
    ],
  },
  {
    name: 'frames that nobody ends fill the memory for good',
    file: admission,
    replace: [
      [
        '    } else if (this.#callBytes === 0 && !this.#exempt) {',
        '    } else if (this.#callBytes < 0) {',
      ],
    ],
  },
  {
    name: 'small frames wait for large ones that nobody ends',
    file: admission,
    replace: [
      ['    if (holdsLittle && this.#hasRoomForCalls) return\n', ''],
      ['if (isRoomForAll || this.#hasRoomForCalls) resumeAll', 'if (isRoomForAll) resumeAll'],
    ],
  },
  {
    name: 'the last answers to a peer that sends no more are waited for without end',
    file: session,
    replace: [['    this.finish(this.#lingerMs ?? LAST_ANSWERS_MS)\n', '    this.finish()\n']],
  },
]
