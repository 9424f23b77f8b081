// Breakages of the engine behind the appenders: queue, delivery, flush, close, reports. Each names the tests that
// must notice it.
const engine = (path) => `packages/appender/src/${path}`
const appender = engine('appender.ts')
const intake = engine('intake.ts')
const ledger = engine('delivery/ledger.ts')
const lane = engine('delivery/lane.ts')
const host = engine('delivery/host.ts')
const pool = engine('delivery/host-pool.ts')
const delivery = engine('delivery/batch-delivery.ts')
const receiver = engine('delivery/avro-receiver.ts')

const LIFECYCLE = [/^unit\/appender\/lifecycle/]
const HOSTS = [/^unit\/appender\/hosts/]
const DELIVERY = [/^unit\/appender\/delivery/]
const REFUSAL = [/^unit\/appender\/refusal/]
const CONSERVATION = [/^property\/appender\/conservation/]
const NETWORK = [/^integration\/appender\/delivery/]
const OPERATION = [/^integration\/appender\/operation/]

export const APPENDER_ENGINE = [
  {
    name: 'flush does not wait for what is on the way',
    file: ledger,
    tests: LIFECYCLE,
    replace: [['remaining: this.open, settled', 'remaining: this.queued, settled']],
  },
  {
    name: 'flush waits for the linger time',
    file: appender,
    tests: LIFECYCLE,
    replace: [['    this.#hurry()\n', '']],
  },
  {
    name: 'flush closes the appender',
    file: appender,
    tests: LIFECYCLE,
    replace: [
      [
        '    if (!isSettled) this.#waitedUpTo',
        '    this.#isClosed = true\n    if (!isSettled) this.#waitedUpTo',
      ],
    ],
  },
  {
    name: 'flush has no deadline',
    file: ledger,
    tests: LIFECYCLE,
    replace: [
      [
        'this.#clock.after(timeoutMs, () => waiter.settled.resolve(false), {',
        'this.#clock.after(timeoutMs, () => {}, {',
      ],
    ],
  },
  {
    name: 'flush does not keep the process alive',
    file: ledger,
    tests: [/^integration\/appender\/process\.test/],
    replace: [
      [
        'waiter.settled.resolve(false), { ref: true })',
        'waiter.settled.resolve(false), { ref: false })',
      ],
    ],
  },
  {
    name: 'a connection keeps the process alive',
    file: receiver,
    tests: [/^integration\/appender\/process\.test/, /^integration\/winston\/process/],
    replace: [['ref: false,', 'ref: true,']],
  },
  {
    name: 'close takes records still',
    file: appender,
    tests: LIFECYCLE,
    replace: [['    this.#isClosed = true\n', '']],
  },
  {
    name: 'close says nothing of what is lost',
    file: appender,
    tests: LIFECYCLE,
    replace: [['    if (lost > 0) {\n      // What', '    if (lost < 0) {\n      // What']],
  },
  {
    name: 'the natural end of a process waits for nobody',
    file: engine('process-end.ts'),
    tests: [/^integration\/appender\/process-end/],
    replace: [['process.nextTick(() => void this.#deliver())', 'process.nextTick(() => {})']],
  },
  {
    name: 'what is lost at the end of a process is not said',
    file: engine('process-end.ts'),
    tests: [/^integration\/appender\/process-end/],
    replace: [['for (const appender of this.#open()) appender.sayLost()', 'this.#open()']],
  },
  {
    name: 'a signal ends the process at once, as if there was no helper',
    file: engine('close-on-signals.ts'),
    tests: OPERATION,
    replace: [['    isClosing = true\n', '    isClosing = true\n    end()\n']],
  },
  {
    name: 'a batch counts as delivered when it is sent',
    file: delivery,
    tests: [...DELIVERY, ...NETWORK],
    replace: [
      [
        'await lease.connection.client.appendBatch(run.batch())',
        'lease.connection.client.appendBatch(run.batch()).catch(() => {})',
      ],
    ],
  },
  {
    name: 'a batch without an answer is given up',
    file: delivery,
    tests: [...DELIVERY, ...NETWORK],
    replace: [
      ['} else this.#putBack(run)\n', "} else this.#context.ledger.settle(run, 'rejected')\n"],
    ],
  },
  {
    name: 'what comes while a batch is on the way is wiped out with it',
    file: delivery,
    tests: [...DELIVERY, ...CONSERVATION],
    replace: [
      [
        '    this.#suspects.accepted(run, host.name)\n',
        '    this.#suspects.accepted(run, host.name)\n    this.#queue.takeWhole()\n',
      ],
    ],
  },
  {
    name: 'a refused batch is never halved',
    file: delivery,
    tests: REFUSAL,
    replace: [['if (run.refusals < HALVING_REFUSALS) this', 'if (run.refusals > 0) this']],
  },
  {
    name: 'an event that was refused alone is given up at once',
    file: delivery,
    tests: REFUSAL,
    replace: [
      [
        'if (this.#suspects.refused(suspect, host.name, usable)) {',
        'this.#suspects.refused(suspect, host.name, usable)\n    if (run.events === 1) {',
      ],
    ],
  },
  {
    name: 'batches overtake each other',
    file: lane,
    tests: DELIVERY,
    replace: [
      ['    while (this.#busy < maxInFlight) {', '    while (this.#busy < maxInFlight + 3) {'],
    ],
  },
  {
    name: 'maxInFlight is not heeded',
    file: lane,
    tests: DELIVERY,
    replace: [
      [
        '    while (this.#busy < maxInFlight) {',
        '    while (this.#busy < Math.min(1, maxInFlight)) {',
      ],
    ],
  },
  {
    name: 'severe records wait for others',
    file: intake,
    tests: [...DELIVERY],
    replace: [['if (record.level >= urgentLevel || record', 'if (record']],
  },
  {
    name: 'a receiver is given up after four failures',
    file: host,
    tests: [...DELIVERY, ...HOSTS],
    replace: [
      [
        'if (now >= this.retryAtMs) this.retryAtMs = now + this.#backoff.next()',
        'if (now >= this.retryAtMs) this.retryAtMs = now + this.#backoff.next() * (this.failures > 3 ? 1e12 : 1)',
      ],
    ],
  },
  {
    name: 'the back-off ends with a connection',
    file: pool,
    tests: [...DELIVERY, ...HOSTS],
    replace: [
      ['      host.connects += 1\n', '      host.connects += 1\n      host.succeeded(0)\n'],
    ],
  },
  {
    name: 'all connections of one age end together',
    file: pool,
    tests: HOSTS,
    replace: [['const spread = 1 - AGE_SPREAD + 2 * AGE_SPREAD * random()', 'const spread = 1']],
  },
  {
    name: 'connections live for ever',
    file: pool,
    tests: HOSTS,
    replace: [['connection.expiresAtMs > now && connection', 'connection']],
  },
  {
    name: 'a connection is used after a freeze',
    file: engine('delivery/standstill-watch.ts'),
    tests: HOSTS,
    replace: [['      this.#count += 1\n', '']],
  },
  {
    name: 'no time limit for an answer',
    file: receiver,
    tests: NETWORK,
    replace: [['{ timeoutMs: this.#timeoutMs }', '{ timeoutMs: 2_000_000 }']],
  },
  {
    name: 'a connection that broke is used again',
    file: pool,
    tests: [...NETWORK, ...HOSTS, ...DELIVERY, ...LIFECYCLE],
    replace: [
      ['if (connection.client.isActive && isFresh) return', 'if (isFresh) return'],
      ['if (this.#isClosed || !connection.client.isActive) this', 'if (this.#isClosed) this'],
      [
        '      host.connects += 1\n',
        "      host.connects += 1\n      Object.defineProperty(client, 'isActive', { value: true })\n",
      ],
    ],
  },
  {
    name: 'the options of the back-off are not used',
    file: host,
    tests: [...HOSTS, ...DELIVERY, ...LIFECYCLE],
    replace: [
      [
        'new Backoff({ ...options.backoff, jitter',
        'new Backoff({ minMs: 60_000, maxMs: 60_000, jitter',
      ],
    ],
  },
  {
    name: 'a client certificate is not shown',
    file: receiver,
    tests: NETWORK,
    replace: [['...(cert === undefined ? {} : { cert: nodePem(cert) }),', '']],
  },
  {
    name: 'the queue has no limit',
    file: intake,
    tests: [/^unit\/appender\/queue-policy/],
    replace: [
      [
        'return ledger.held < maxEvents && ledger.heldBytes + bytes <= maxBytes',
        'return ledger.held >= 0 || bytes > maxBytes || maxEvents > 0',
      ],
    ],
  },
  {
    name: 'the queue has no limit in bytes',
    file: intake,
    tests: [/^unit\/appender\/queue-policy/],
    replace: [
      [
        'return ledger.held < maxEvents && ledger.heldBytes + bytes <= maxBytes',
        'return ledger.held < maxEvents || bytes > maxBytes',
      ],
    ],
  },
  {
    name: 'a dropped event is not counted',
    file: ledger,
    tests: [...CONSERVATION, ...LIFECYCLE],
    replace: [
      [
        '    this.heldBytes -= event.bytes\n    this.dropped[reason] += 1\n',
        '    this.heldBytes -= event.bytes\n',
      ],
    ],
  },
  {
    name: 'overflow is not reported',
    file: intake,
    tests: [...LIFECYCLE, /^unit\/appender\/diagnostic-output/],
    replace: [
      [
        "      ledger.drop(removed, 'overflow')\n      diagnostics.report('dropped', `the queue is full; its policy is ${policyName}`)\n",
        "      ledger.drop(removed, 'overflow')\n",
      ],
    ],
  },
  {
    name: 'a batch has no limit in bytes',
    file: engine('queue/event-queue.ts'),
    tests: DELIVERY,
    replace: [
      [
        'first.cut(fitting(first, batchEvents, batchBytes), clock',
        'first.cut(fitting(first, batchEvents, 2 ** 40), clock',
      ],
    ],
  },
  {
    name: 'a mapper that throws does so into the application',
    file: intake,
    tests: LIFECYCLE,
    replace: [
      [
        "      this.#refuse('encode', error)\n    }\n    if",
        '      this.#isBusy = false\n      throw error\n    }\n    if',
      ],
    ],
  },
  {
    name: 'each case of trouble is a line',
    file: engine('diagnostics.ts'),
    tests: [...LIFECYCLE, /^unit\/appender\/diagnostic-output/],
    replace: [
      ['if (now < entry.untilMs || this.#isReporting) return', 'if (this.#isReporting) return'],
    ],
  },
  {
    name: 'lines are written inside the log call',
    file: engine('diagnostic-output.ts'),
    tests: [/^unit\/appender\/diagnostic-output/],
    replace: [
      [
        'if (this.#lines.length === 1) setImmediate(() => writeToStderr(this.#take())).unref()',
        'writeToStderr(this.#take())',
      ],
    ],
  },
  {
    name: 'nothing is published on diagnostics_channel',
    file: engine('diagnostics-channel.ts'),
    tests: OPERATION,
    replace: [
      [
        'if (diagnostics.hasSubscribers) diagnostics',
        'if (!diagnostics.hasSubscribers) diagnostics',
      ],
    ],
  },
  {
    name: 'a metric shows the number of another',
    file: engine('metrics.ts'),
    tests: OPERATION,
    replace: [
      [
        "add('delivered_events_total', state.delivered)",
        "add('delivered_events_total', state.accepted)",
      ],
    ],
  },
  {
    name: 'the option levels is not used',
    file: appender,
    tests: OPERATION,
    replace: [['if (levels !== undefined && !levels', 'if (levels === null && !levels']],
  },
]
