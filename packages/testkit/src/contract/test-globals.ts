/** What the suites need of a test runner: mocha's, or anything that looks like it. */
export interface TestGlobals {
  readonly describe: (title: string, body: () => void) => void
  readonly it: (title: string, body: () => Promise<void> | void) => void
}

/** The runner's functions that are global now. @throws TypeError outside a mocha test file. */
export function testGlobals(): TestGlobals {
  const find = (name: keyof TestGlobals): unknown => {
    const found: unknown = Reflect.get(globalThis, name)
    if (typeof found !== 'function') {
      throw new TypeError(`No global ${name}: a contract suite runs in a mocha test file`)
    }
    return found
  }
  return {
    describe: find('describe') as TestGlobals['describe'],
    it: find('it') as TestGlobals['it'],
  }
}
