// Breakages of dead letters, and of the tools that look into logs and repair them.
const runners = (name) => `agent-core/src/runners/${name}.ts`
const inspect = (name) => `packages/wal/src/inspect/${name}.ts`
const letters = (name) => `packages/cli/src/dead-letters/${name}.ts`

export const TOOLS = [
  {
    name: 'rejected events committed before the dead-letter channel has them',
    file: runners('sink-worker'),
    replace: [
      [
        '    const buried = await this.#deadLetters?.put(',
        '    await this.#commit(transaction)\n    const buried = await this.#deadLetters?.put(',
      ],
    ],
  },
  {
    name: 'rejected events dropped without a dead-letter channel',
    file: runners('sink-worker'),
    replace: [['buried?.kept ?? [...indexes]', 'buried?.kept ?? []']],
  },
  {
    name: 'what a full dead-letter channel does not take is dropped',
    file: runners('dead-letters'),
    replace: [
      ['          kept.push(...[next, ...waiting].flatMap(({ indexes }) => indexes))\n', ''],
    ],
  },
  {
    name: 'a dead letter that is too large is dropped',
    file: runners('dead-letters'),
    replace: [['        else kept.push(...next.indexes)\n', '']],
  },
  {
    name: 'dead letters with the reason of another one',
    file: runners('dead-letters'),
    replace: [['reasons.get(indexes[index] ?? -1)', 'reasons.get(indexes[0] ?? -1)']],
  },
  {
    name: 'verify counts no lost events',
    file: inspect('verify-log'),
    replace: [['count += union.add(start, end)', 'union.add(start, end)']],
  },
  {
    name: 'verify stops at the first damage of a segment',
    file: inspect('walk'),
    replace: [['      else if (!isDamage(segment, scanned)) break\n', '      else break\n']],
  },
  {
    name: 'a segment that is used again meanwhile is reported as damaged',
    file: inspect('walk'),
    replace: [
      [
        '      else if (this.#isLive && !(await this.#isStill(segment, file))) return',
        '      else if (false) return',
      ],
      [
        '    if (this.#isLive && !(await this.#isStill(segment, file))) this.#leaveOut',
        '    if (false) this.#leaveOut',
      ],
    ],
  },
  {
    name: 'a range is read without regard to what is done out of order',
    file: inspect('read-log'),
    replace: [
      [
        'return this.#done ? this.#done.undone(start, end) : [[start, end]]',
        'return [[start, end]]',
      ],
    ],
  },
  {
    name: 'repair without being asked to',
    file: inspect('repair-log'),
    replace: [
      ['const isApplied = options.apply && plan.length > 0', 'const isApplied = plan.length > 0'],
    ],
  },
  {
    name: 'a repair is announced for a log in use',
    file: inspect('repair-log'),
    replace: [['  if (survey.owner !== undefined) throw inUse(place, survey.owner)\n', '']],
  },
  {
    name: 'repair does not go on behind lost events',
    file: inspect('repair-log'),
    replace: [
      [
        '      for (const name of names) await readThrough(log.consumer(name), this.#options.signal)\n',
        '',
      ],
    ],
  },
  {
    name: 'a lost directory is given up without a copy of the checkpoint',
    file: inspect('repair-log'),
    replace: [
      ['    return { copy }\n  }\n\n  async #setAside', '    return {}\n  }\n\n  async #setAside'],
    ],
  },
  {
    name: 'the record in the place of damage makes the next ones invalid',
    file: inspect('void-damage'),
    replace: [['id: header?.id ?? lastId + 1,', 'id: lastId + 1_000_000,']],
  },
  {
    name: 'dlq retry takes letters out before they are safe',
    file: letters('retry'),
    replace: [
      [
        '      await way.send(target, each)\n',
        '      await letters.remove(each)\n      await way.send(target, each)\n',
      ],
    ],
  },
  {
    name: 'dlq retry leaves letters in',
    file: letters('retry'),
    replace: [['    await letters.remove(each)\n    outcome.retried', '    outcome.retried']],
  },
  {
    name: 'dlq retry leaves the headers of the rejection',
    file: letters('letters'),
    replace: [['  return batch.withHeaders(WITHOUT)\n', '  return batch\n']],
  },
  {
    name: 'dlq purge asks nobody',
    file: letters('purge'),
    replace: [['if (!options.yes && !isFiltered(options))', 'if (false)']],
  },
  {
    name: 'dlq takes any event for a dead letter',
    file: letters('letters'),
    replace: [['if (!REJECTION.some((name) => headers[name] !== undefined)) return undefined', '']],
  },
  {
    name: 'dlq works on a channel that is nobody’s deadLetterChannel',
    file: letters('location'),
    replace: [['!deadLetterChannels(agent).has(channel)', 'false']],
  },
]
