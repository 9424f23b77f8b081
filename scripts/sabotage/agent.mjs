// Breakages of the agent: delivery into channels, the memory channel, sinks and their runners.
const core = (path) => `agent-core/src/${path}`
const processor = core('processing/channel-processor.ts')
const order = core('processing/delivery-order.ts')
const chain = core('processing/interceptor-chain.ts')
const runner = core('runners/sink-runner.ts')
const worker = core('runners/sink-worker.ts')
const memory = core('channels/memory.ts')
const putSide = core('channels/put-side.ts')
const failover = core('processors/failover.ts')
const balance = core('processors/load-balance.ts')
const multiplexing = core('selectors/multiplexing.ts')
const stop = core('assembly/stop-graph.ts')

export const AGENT = [
  {
    name: 'OK before the put into the one channel',
    file: processor,
    replace: [
      [
        '      await reservation.put(batch)\n    } finally',
        '      reservation.put(batch).catch(() => {})\n    } finally',
      ],
    ],
  },
  {
    name: 'OK before the puts into several channels',
    file: processor,
    replace: [
      [
        '    const stored = await Promise.allSettled(\n      required.map(({ batch }, i) => (reservations[i] as Reservation).put(batch)),\n    )\n',
        '    const stored: PromiseSettledResult<void>[] = []\n    required.map(({ batch }, i) => (reservations[i] as Reservation).put(batch).catch(() => {}))\n',
      ],
    ],
  },
  {
    name: 'a required channel that fails is passed over',
    file: processor,
    replace: [
      [
        "    for (const result of stored) if (result.status === 'rejected') throw result.reason\n",
        '',
      ],
    ],
  },
  {
    name: 'room reserved in other channels is not given back',
    file: processor,
    replace: [['      for (const reservation of reservations) reservation.release()\n', '']],
  },
  {
    name: 'a source hears of an optional channel',
    file: processor,
    replace: [
      [
        '      this.#optionalFailureCount += 1\n',
        '      this.#optionalFailureCount += 1\n      throw error\n',
      ],
    ],
  },
  {
    name: 'an optional channel is waited for',
    file: processor,
    replace: [['{ wait: false, signal: this.#never }', '{ wait: true, signal: this.#never }']],
  },
  {
    name: 'deliveries overtake those that wait',
    file: order,
    replace: [['    return this.#chained === 0\n', '    return this.#chained >= 0\n']],
  },
  {
    name: 'a delivery into several channels does not wait for those before it',
    file: order,
    replace: [
      [
        '    if (this.#direct === 0) return Promise.resolve()\n',
        '    if (this.#direct >= 0) return Promise.resolve()\n',
      ],
    ],
  },
  {
    name: 'channels are reserved in the order in which the selector names them',
    file: processor,
    replace: [
      [
        '    return puts.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)))\n',
        '    return puts\n',
      ],
    ],
  },
  {
    name: 'each delivery of a queue waits keep-alive anew',
    file: processor,
    replace: [['wait: waitedMs < channel.keepAliveMs', 'wait: true']],
  },
  {
    name: 'interceptors behind one that answers later are left out',
    file: chain,
    replace: [['interceptors.slice(i + 1), next', '[], next']],
  },
  {
    name: 'the sink runner: back-off is reset early, before anything was stored',
    file: runner,
    replace: [
      [
        '    const pauseMs = this.#backoff.next()\n',
        '    this.#backoff.reset()\n    const pauseMs = this.#backoff.next()\n',
      ],
    ],
  },
  {
    name: 'the sink runner: back-off is never reset',
    file: runner,
    replace: [
      ['      this.#idleRounds = 0\n      this.#backoff.reset()\n', '      this.#idleRounds = 0\n'],
    ],
  },
  {
    name: 'the sink runner: no rest after a failure',
    file: runner,
    replace: [
      [
        '      return signal.aborted ? 0 : this.#afterFailure(error)\n',
        '      return signal.aborted ? 0 : this.#afterFailure(error) * 0\n',
      ],
    ],
  },
  {
    name: 'a stop leaves what memory channels hold',
    file: runner,
    replace: [
      [
        '    if (drainMs > 0) this.#draining = draining\n',
        '    if (drainMs < 0) this.#draining = draining\n',
      ],
    ],
  },
  {
    name: 'a stop waits for a write that hangs',
    file: runner,
    replace: [['() => this.#abandonWrites(), clock', '() => {}, clock']],
  },
  {
    name: 'committed before the sink has the events',
    file: worker,
    replace: [
      [
        '    const result = await this.#write(transaction)\n',
        '    const result = this.#write(transaction).catch(() => {}) && undefined\n',
      ],
    ],
  },
  {
    name: 'what a sink did not take is not rolled back',
    file: worker,
    replace: [
      [
        '      this.counters.eventWriteFail += 1\n      await transaction.rollback()\n      throw error\n',
        '      this.counters.eventWriteFail += 1\n      throw error\n',
      ],
    ],
  },
  {
    name: 'what a sink did not take is committed',
    file: worker,
    replace: [
      [
        '      this.counters.eventWriteFail += 1\n      await transaction.rollback()\n      throw error\n',
        '      this.counters.eventWriteFail += 1\n      await transaction.commit()\n      throw error\n',
      ],
    ],
  },
  {
    name: 'memory channel: one event less than its capacity',
    file: memory,
    replace: [
      [
        'stored.events + events <= this.#options.capacity',
        'stored.events + events < this.#options.capacity',
      ],
    ],
  },
  {
    name: 'memory channel: one event more than its capacity',
    file: memory,
    replace: [
      [
        'stored.events + events <= this.#options.capacity',
        'stored.events + events <= this.#options.capacity + 1',
      ],
    ],
  },
  {
    name: 'memory channel: one event more than transactionCapacity',
    file: memory,
    replace: [['size.events > mostEvents', 'size.events > mostEvents + 1']],
  },
  {
    name: 'memory channel: bytes are not looked at',
    file: memory,
    replace: [[' && stored.bytes + bytes <= this.#byteLimit', '']],
  },
  {
    name: 'memory channel: puts that wait are not woken by a commit',
    file: memory,
    replace: [['      onCommitted: () => this.#puts.admit(),\n', '      onCommitted: () => {},\n']],
  },
  {
    name: 'room that was promised is given to others too',
    file: putSide,
    replace: [['      events: this.#reservedEvents + events,\n', '      events,\n']],
  },
  {
    name: 'a small put overtakes one that waits',
    file: putSide,
    replace: [
      [
        '    if (this.#waiting.first === undefined && this.#hasRoom(size)) {',
        '    if (this.#hasRoom(size)) {',
      ],
    ],
  },
  {
    name: 'failover processor: the sink of the lowest priority works',
    file: failover,
    replace: [['b.priority - a.priority', 'a.priority - b.priority']],
  },
  {
    name: 'failover processor: a sink that failed is not tried again',
    file: failover,
    replace: [
      [
        '.filter(({ refreshMs }) => refreshMs < nowMs)',
        '.filter(({ refreshMs }) => refreshMs < 0)',
      ],
    ],
  },
  {
    name: 'failover processor: every penalty is the first',
    file: failover,
    replace: [['        failed.fails += 1\n', '']],
  },
  {
    name: 'load balancing processor: a failure ends the round',
    file: balance,
    replace: [
      [
        '        this.#order.informFailure(sink)\n',
        '        this.#order.informFailure(sink)\n        throw error\n',
      ],
    ],
  },
  {
    name: 'multiplexing: events without a header go nowhere',
    file: multiplexing,
    replace: [
      [
        "value.trim() === '') return this.#default",
        "value.trim() === '') return { required: [], optional: [] }",
      ],
    ],
  },
  {
    name: 'a stop ends the sinks before the sources',
    file: stop,
    replace: [
      [
        '  await stopSources(graph, left(SOURCES_UNTIL))\n  await stopSinks(graph, options, left)\n',
        '  await stopSinks(graph, options, left)\n  await stopSources(graph, left(SOURCES_UNTIL))\n',
      ],
    ],
  },
]
