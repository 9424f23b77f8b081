// Breakages of what lies below the calls of an RPC server: frames, foreign schemas, TLS, deflate.
const rpc = (path) => `packages/rpc/src/${path}`
const transport = rpc('server/transport.ts')
const frames = rpc('framing/frame-reader.ts')
const pieces = rpc('framing/piece-collector.ts')
const deflate = rpc('net/deflate-duplex.ts')
const directReads = rpc('net/direct-reads.ts')
const primitives = rpc('protocol/avro-primitives.ts')
const foreign = rpc('protocol/foreign-protocol.ts')
const datum = rpc('protocol/datum-check.ts')

export const RPC_WIRE = [
  {
    name: 'a foreign protocol may be as long as a frame',
    file: foreign,
    replace: [['protocolText.length > MAX_PROTOCOL_LENGTH', 'protocolText.length < 0']],
  },
  {
    name: 'counts of a foreign datum are believed',
    file: datum,
    replace: [['    if (count > reader.end - start) ', '    if (count < 0) ']],
  },
  {
    name: 'the size in front of a negative block is not skipped',
    file: primitives,
    replace: [['        count = -count\n        this.readLong()\n', '        count = -count\n']],
  },
  {
    name: 'a frame of exactly the limit is refused',
    file: frames,
    replace: [
      [
        '    if (total > this.#limits.maxFrameBytes) {',
        '    if (total >= this.#limits.maxFrameBytes) {',
      ],
    ],
  },
  {
    name: 'a frame of one octet more than the limit is taken',
    file: frames,
    replace: [
      [
        '    if (total > this.#limits.maxFrameBytes) {',
        '    if (total > this.#limits.maxFrameBytes + 1) {',
      ],
    ],
  },
  {
    name: 'a whole frame of one octet more than the limit is taken',
    file: frames,
    replace: [
      [
        'length < 0 || length > this.#limits.maxFrameBytes ||',
        'length < 0 || length > this.#limits.maxFrameBytes + 1 ||',
      ],
    ],
  },
  {
    name: 'a frame of exactly the most buffers is refused',
    file: frames,
    replace: [
      ['count > this.#limits.maxBuffersPerFrame', 'count >= this.#limits.maxBuffersPerFrame'],
    ],
  },
  {
    name: 'a frame of one buffer more than the most is taken',
    file: frames,
    replace: [
      ['count > this.#limits.maxBuffersPerFrame', 'count > this.#limits.maxBuffersPerFrame + 1'],
    ],
  },
  {
    name: 'a frame of no buffers is waited for',
    file: frames,
    replace: [
      ['    if (count < 1 || count > this.#limits', '    if (count < 0 || count > this.#limits'],
    ],
  },
  {
    name: 'a buffer of a negative length is taken',
    file: frames,
    replace: [['    if (length < 0) {\n      throw', '    if (length < -8) {\n      throw']],
  },
  {
    name: 'buffers inside one chunk are pushed together without the first',
    file: frames,
    replace: [
      [
        '    for (let i = count - 2; i >= 0; i -= 1) {\n',
        '    for (let i = count - 2; i > 0; i -= 1) {\n',
      ],
    ],
  },
  {
    name: 'pieces of a frame are joined in another order',
    file: pieces,
    replace: [
      [
        '      this.#closeSlab()\n      this.#pieces.push(piece)\n',
        '      this.#closeSlab()\n      this.#pieces.unshift(piece)\n',
      ],
    ],
  },
  {
    name: 'memory is made ready for what a peer claims',
    file: pieces,
    replace: [
      [
        'this.#grow(Math.min(this.#length + wanted, most))',
        'this.#grow(this.#length + wanted).fill(0, this.#length)',
      ],
    ],
  },
  {
    name: 'the shared buffer of reads is handed out',
    file: directReads,
    replace: [
      [
        'else reader?.received(copyOf(shared, bytes))',
        'else reader?.received(shared.subarray(0, bytes))',
      ],
    ],
  },
  {
    name: 'TLS: a client certificate is asked for and not needed',
    file: transport,
    replace: [["rejectUnauthorized: tls.clientAuth === 'need'", 'rejectUnauthorized: false']],
  },
  {
    name: 'TLS: no client certificate is asked for',
    file: transport,
    replace: [
      [
        "requestCert: tls.clientAuth === 'want' || tls.clientAuth === 'need'",
        "requestCert: tls.clientAuth === 'want'",
      ],
    ],
  },
  {
    name: 'TLS: a handshake has all the time',
    file: transport,
    replace: [['handshakeTimeout: this.#options.handshakeTimeoutMs', 'handshakeTimeout: 600_000']],
  },
  {
    name: 'TLS: renewed certificates are not used',
    file: transport,
    replace: [['    this.#tlsServer?.setSecureContext(this.#serverOptions(tls))\n', '']],
  },
  {
    name: 'TLS inside zlib: renewed certificates are not used',
    file: transport,
    replace: [['    this.#tls = tls\n  }\n\n  open(', '  }\n\n  open(']],
  },
  {
    name: 'TLS and deflate: zlib outermost is taken for TLS outermost',
    file: transport,
    replace: [['chunk[0] === ZLIB_FIRST_OCTET', 'chunk[0] === 0x17']],
  },
  {
    name: 'TLS and deflate: TLS outermost is taken for zlib outermost',
    file: transport,
    replace: [['chunk[0] === ZLIB_FIRST_OCTET', 'chunk[0] !== 0x17']],
  },
  {
    name: 'deflate: what is written is not flushed',
    file: deflate,
    replace: [['      flush: constants.Z_SYNC_FLUSH,\n', '']],
  },
  {
    name: 'deflate: a stream that ends without its trailer is an error',
    file: deflate,
    replace: [['createInflate({ finishFlush: constants.Z_SYNC_FLUSH, ', 'createInflate({ ']],
  },
  {
    name: 'deflate: the trailer is not written',
    file: deflate,
    replace: [['      this.#deflate.end()\n', '      this.#inner.end()\n']],
  },
]
