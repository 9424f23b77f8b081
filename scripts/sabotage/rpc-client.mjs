// Breakages of the RPC clients: handshake, calls, time limits, several hosts, layers.
const rpc = (path) => `packages/rpc/src/${path}`
const connection = rpc('client/avro-rpc-connection.ts')
const client = rpc('client/avro-rpc-client.ts')
const connector = rpc('client/connector.ts')
const failover = rpc('client/failover-rpc-client.ts')
const balancing = rpc('client/load-balancing-rpc-client.ts')
const hosts = rpc('client/host-client.ts')
const hostList = rpc('client/host-list.ts')
const turns = rpc('client/turns.ts')
const factory = rpc('client/rpc-client-factory.ts')
const handshake = rpc('protocol/handshake.ts')
const selector = 'packages/runtime/src/order-selector.ts'

export const RPC_CLIENT = [
  {
    name: 'a call counts as delivered when it is written: release on socket write',
    file: connection,
    replace: [
      [
        '    this.#calls.set(this.#serial, call)\n',
        '    this.#calls.set(this.#serial, call)\n    call.resolve()\n',
      ],
    ],
  },
  {
    name: 'a call counts as delivered when its connection ends',
    file: connection,
    replace: [
      [
        '    for (const call of unanswered) call.reject(error)\n',
        '    for (const call of unanswered) call.resolve()\n',
      ],
    ],
  },
  {
    name: 'the serial is used again',
    file: connection,
    replace: [
      [
        '    this.#serial = (this.#serial + 1) | 0\n',
        '    this.#serial = Math.min(this.#serial + 1, 2)\n',
      ],
    ],
  },
  {
    name: 'the handshake is sent twice',
    file: connection,
    replace: [
      [
        "    if (this.#handshake === 'done') this.#send(call)\n",
        "    if (this.#handshake === 'done') this.#send(call, encodeHandshakeRequest({ serverHash: this.#serverHash, withProtocol: false }))\n",
      ],
    ],
  },
  {
    name: 'calls do not wait for the handshake',
    file: connection,
    replace: [['    else this.#waiting.push(call)\n', '    else this.#send(call)\n']],
  },
  {
    name: 'calls that waited for the handshake are sent in another order',
    file: connection,
    replace: [
      [
        '    for (const next of waiting) this.#send(next)\n',
        '    for (const next of waiting.reverse()) this.#send(next)\n',
      ],
    ],
  },
  {
    name: 'calls that waited for the handshake are forgotten',
    file: connection,
    replace: [['    for (const next of waiting) this.#send(next)\n', '']],
  },
  {
    name: 'NONE is answered with the protocol without end',
    file: connection,
    replace: [
      ["      if (this.#handshake === 'repeated') {", "      if (this.#handshake === 'done') {"],
    ],
  },
  {
    name: "after NONE the server's hash is guessed again",
    file: connection,
    replace: [['      if (serverHash) this.#serverHash = serverHash\n', '']],
  },
  {
    name: 'after NONE the protocol does not go along',
    file: connection,
    replace: [
      [
        "    const withProtocol = stage === 'repeated'\n",
        "    const withProtocol = stage === 'due'\n",
      ],
    ],
  },
  {
    name: 'NONE counts as an answer to the call',
    file: connection,
    replace: [
      [
        "    if (match === 'NONE') {",
        "    if (match === 'NONE') call.resolve()\n    if (match === 'NONE') {",
      ],
    ],
  },
  {
    name: 'CLIENT is taken for NONE',
    file: connection,
    replace: [["    if (match === 'NONE') {", "    if (match !== 'BOTH') {"]],
  },
  {
    name: 'the handshake says null in place of an empty map',
    file: handshake,
    replace: [['    Buffer.of(2, 0),\n  ])', '    Buffer.of(0),\n  ])']],
  },
  {
    name: 'FAILED and UNKNOWN count as OK',
    file: connection,
    replace: [["  if (outcome.status === 'OK') {", '  if (outcome.error === undefined) {']],
  },
  {
    name: 'UNKNOWN counts as OK',
    file: connection,
    replace: [
      [
        "  if (outcome.status === 'OK') {",
        "  if (outcome.status === 'OK' || outcome.status === 'UNKNOWN') {",
      ],
    ],
  },
  {
    name: 'an error of the server counts as OK',
    file: connection,
    replace: [
      ["  if (outcome.status === 'OK') {", "  if (outcome.status === 'OK' || outcome.error) {"],
    ],
  },
  {
    name: 'an answer to no call is ignored',
    file: connection,
    replace: [
      [
        '    if (!call) {\n      throw new',
        "    if (!call && this.#handshake === 'done') return\n    if (!call) {\n      throw new",
      ],
    ],
  },
  {
    name: 'a second answer to a call is ignored',
    file: connection,
    replace: [['    this.#calls.delete(serial)\n    settle', '    settle']],
  },
  {
    name: 'an answer may be as long as it likes',
    file: connection,
    replace: [
      ['options.maxAnswerBytes ?? MAX_ANSWER_BYTES', 'options.maxAnswerBytes ?? 2_000_000_000'],
    ],
  },
  {
    name: 'a call beyond its time limit leaves the connection open',
    file: connection,
    replace: [['    this.#close(this.#lost(`a call reached its time limit`))\n', '']],
  },
  {
    name: 'the late answer to a call that was given up breaks the connection',
    file: connection,
    replace: [
      [
        '    call.abandon(reason)\n',
        '    call.abandon(reason)\n    this.#calls.delete(call.serial)\n',
      ],
    ],
  },
  {
    name: 'a call given up has no time limit any more',
    file: rpc('client/client-call.ts'),
    replace: [
      [
        '  abandon(error: Error): void {\n',
        '  abandon(error: Error): void {\n    this.#watch?.timer.cancel()\n',
      ],
    ],
  },
  {
    name: 'the first call has the time of the others',
    file: client,
    replace: [['      timeoutMs = this.#connectTimeoutMs\n', '']],
  },
  {
    name: 'the first call has its time beside that of the connection',
    file: client,
    replace: [['        timeoutMs -= Math.floor(this.#clock.monotonic() - begunMs)\n', '']],
  },
  {
    name: 'a client goes on after a failure',
    file: client,
    replace: [
      [
        '  #die(error: unknown): void {\n',
        '  #die(error: unknown): void {\n    if (this.#connection.isOpen) return\n',
      ],
    ],
  },
  {
    name: 'a client whose connection was lost counts as active',
    file: client,
    replace: [
      [
        '    return this.#connected === undefined || !this.#connection.isClosed\n',
        '    return true\n',
      ],
    ],
  },
  {
    name: 'a call of one event more than the batch size',
    file: client,
    replace: [['    if (batch.size <= size) {', '    if (batch.size <= size + 1) {']],
  },
  {
    name: 'the last events of a split batch are not sent',
    file: client,
    replace: [
      [
        'for (let start = 0; start < batch.size; start += size) {',
        'for (let start = 0; start + size <= batch.size; start += size) {',
      ],
    ],
  },
  {
    name: 'the parts of a split batch go at once',
    file: client,
    replace: [
      [
        "        await this.#call('appendBatch', batch.slice(start, end), options)\n      }\n",
        "        const part = this.#call('appendBatch', batch.slice(start, end), options)\n        if (end === batch.size) await part\n      }\n",
      ],
    ],
  },
  {
    name: 'an empty batch is sent',
    file: client,
    replace: [['    if (batch.size === 0) return Promise.resolve()\n', '']],
  },
  {
    name: 'calls run beside each other',
    file: turns,
    replace: [['this.#last.then(call)', 'Promise.resolve().then(call)']],
  },
  {
    name: 'a failed call fails those behind it',
    file: turns,
    replace: [
      [
        '    this.#last = turn.catch(() => {})\n',
        '    turn.catch(() => {})\n    this.#last = turn\n',
      ],
    ],
  },
  {
    name: 'several hosts: what one host acknowledged is sent again',
    file: hosts,
    replace: [
      [
        '    while (this.#sent < this.#batch.size) {',
        '    this.#sent = 0\n    while (this.#sent < this.#batch.size) {',
      ],
    ],
  },
  {
    name: 'several hosts: a call that was given up goes to the next host',
    file: failover,
    replace: [
      [
        "  if (MillraceError.is(error) && error.code.startsWith('MILLRACE_RPC_')) return\n",
        '  if (MillraceError.is(error)) return\n',
      ],
    ],
  },
  {
    name: 'failover: the host that failed is taken again',
    file: failover,
    replace: [
      [
        '(this.#lastIndex + step) % hosts.length',
        '(Math.max(0, this.#lastIndex) + step - 1) % hosts.length',
      ],
    ],
  },
  {
    name: 'failover: each call begins with the first host',
    file: failover,
    replace: [
      [
        '    if (this.#client?.isActive) return this.#client\n',
        '    if (this.#client?.isActive) await this.#client.close()\n    this.#lastIndex = -1\n',
      ],
    ],
  },
  {
    name: 'failover: one attempt more than max-attempts',
    file: failover,
    replace: [['attempt < attempts; attempt', 'attempt <= attempts; attempt']],
  },
  {
    name: 'load balancing: failures are not told to the selector',
    file: balancing,
    replace: [['          this.#selector.informFailure(address)\n', '']],
  },
  {
    name: 'load balancing: a call fails with its first host',
    file: balancing,
    replace: [
      ['          failures.push(error)\n', '          failures.push(error)\n          break\n'],
    ],
  },
  {
    name: 'back-off: a host that failed is back at once',
    file: selector,
    replace: [
      [
        '    state.restoreMs = now + this.#exclusionMs(state.fails)\n',
        '    state.restoreMs = now\n',
      ],
    ],
  },
  {
    name: 'back-off: reset early, each exclusion is as long as the first',
    file: selector,
    replace: [['? Math.min(state.fails + 1, EXPONENT_LIMIT) : 1', '? 1 : 1']],
  },
  {
    name: 'back-off: the ceiling is not looked at',
    file: selector,
    replace: [['Math.min(this.#ceilingMs, 1_000 * 2 ** fails)', '1_000 * 2 ** fails']],
  },
  {
    name: 'round robin: each call begins with the first host',
    file: selector,
    replace: [['    this.#head = (begin + 1) % active.length\n', '']],
  },
  {
    name: 'factory: a limit of exactly a second is not taken',
    file: factory,
    replace: [['    if (value >= least) return value\n', '    if (value > least) return value\n']],
  },
  {
    name: 'factory: the other hosts of a default client are used',
    file: factory,
    replace: [['  const [address] = hosts\n', '  const address = hosts.at(-1)\n']],
  },
  {
    name: 'factory: backoff is not read',
    file: factory,
    replace: [["backoff: isTrue(properties, 'backoff')", 'backoff: false']],
  },
  {
    name: 'a port of 0 is an address',
    file: hostList,
    replace: [['port < 1 || port > 65_535', 'port < 0 || port > 65_535']],
  },
  {
    name: 'TLS: any certificate is taken',
    file: connector,
    replace: [['rejectUnauthorized: tls.trustAll !== true', 'rejectUnauthorized: false']],
  },
  {
    name: 'TLS: the name in a certificate is not checked',
    file: connector,
    replace: [['tls.checkHostname === false ?', 'tls.checkHostname !== true ?']],
  },
  {
    name: 'TLS: the name is checked though it must not be',
    file: connector,
    replace: [['tls.checkHostname === false ?', 'tls.checkHostname === null ?']],
  },
  {
    name: 'TLS: the server is not told which name is meant',
    file: connector,
    replace: [['(isIP(host) === 0 ? host : undefined)', 'undefined']],
  },
  {
    name: 'TLS and deflate: the other order',
    file: connector,
    replace: [["if (tls.outermost === 'tls')", "if (tls.outermost !== 'tls')"]],
  },
  {
    name: 'the level of deflate is not passed on',
    file: connector,
    replace: [['{ level: compressionLevel }', '{ level: 6 }']],
  },
]
