import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import * as runtime from '@millrace/runtime'
import { ERROR_CODES, type ErrorCode, MillraceError } from '@millrace/runtime'
import { repository } from '../../support/repository.js'

type Construct = new (...args: never[]) => MillraceError

interface Row {
  readonly name: string
  /** Codes that the class carries and whether each is worth a retry. */
  readonly codes: Readonly<Partial<Record<ErrorCode, boolean>>>
  /** Classes of one code take the message first. */
  readonly isFixed?: boolean
}

const all = (
  prefix: string,
  retryable: boolean,
  others: Partial<Record<ErrorCode, boolean>> = {},
) => ({
  ...Object.fromEntries(
    Object.keys(ERROR_CODES)
      .filter((code) => code.startsWith(`MILLRACE_${prefix}_`))
      .map((code) => [code, retryable]),
  ),
  ...others,
})

const TABLE: readonly Row[] = [
  { name: 'ConfigurationError', codes: all('CONFIG', false) },
  {
    name: 'LifecycleError',
    codes: all('LIFECYCLE', false, { MILLRACE_LIFECYCLE_START_FAILED: true }),
  },
  { name: 'LogError', codes: all('LOG', false, { MILLRACE_LOG_IN_USE: true }) },
  { name: 'ChannelError', codes: all('CHANNEL', false, { MILLRACE_CHANNEL_FULL: true }) },
  { name: 'TransactionError', codes: { MILLRACE_TRANSACTION_STATE: false }, isFixed: true },
  { name: 'StorageError', codes: all('STORAGE', true) },
  {
    name: 'RpcError',
    codes: all('RPC', true, {
      MILLRACE_RPC_PROTOCOL: false,
      MILLRACE_RPC_FRAME_TOO_LARGE: false,
    }),
  },
  {
    name: 'EventDeliveryError',
    codes: all('DELIVERY', true, { MILLRACE_DELIVERY_REJECTED: false }),
  },
  { name: 'AvroError', codes: all('AVRO', false) },
  { name: 'RequestError', codes: { MILLRACE_REQUEST_INVALID: false }, isFixed: true },
  { name: 'InputError', codes: { MILLRACE_INPUT_INVALID: false }, isFixed: true },
  { name: 'OptionError', codes: { MILLRACE_OPTION_INVALID: false }, isFixed: true },
  { name: 'AbortError', codes: { MILLRACE_ABORTED: false }, isFixed: true },
]

const exported = runtime as unknown as Record<string, unknown>
const isErrorClass = (value: unknown): value is Construct =>
  typeof value === 'function' && value.prototype instanceof MillraceError

function make(row: Row, code: ErrorCode, options: object): MillraceError {
  const Class = exported[row.name] as new (...args: unknown[]) => MillraceError
  return row.isFixed ? new Class('why', options) : new Class(code, 'why', options)
}

describe('runtime errors', () => {
  for (const row of TABLE) {
    for (const [code, retryable] of Object.entries(row.codes) as [ErrorCode, boolean][]) {
      it(`${row.name} carries ${code}, which is ${retryable ? '' : 'not '}worth a retry`, () => {
        const cause = new Error('root')
        const error = make(row, code, { cause, component: 'sink k1', details: { port: 1 } })
        assert.equal(error.code, code)
        assert.equal(error.name, row.name)
        assert.equal(error.message, 'why')
        assert.equal(error.retryable, retryable)
        assert.equal(error.cause, cause)
        assert.equal(error.component, 'sink k1')
        assert.deepEqual(error.details, { port: 1 })
        assert.equal(make(row, code, { retryable: !retryable }).retryable, !retryable)
      })
    }
  }

  it('no code and no class is outside the table', () => {
    const codes = TABLE.flatMap((row) => Object.keys(row.codes))
    assert.deepEqual(codes.sort(), Object.keys(ERROR_CODES).sort())
    const classes = Object.keys(exported).filter((name) => isErrorClass(exported[name]))
    assert.deepEqual(classes.sort(), TABLE.map((row) => row.name).sort())
  })

  it('an error without a cause has no cause of its own', () => {
    assert.equal('cause' in new runtime.AvroError('MILLRACE_AVRO_LIMIT', 'x'), false)
  })

  it('the CommonJS copy recognises an error of the ESM copy and the other way round', () => {
    const other = createRequire(import.meta.url)('@millrace/runtime') as typeof runtime
    assert.notEqual(other.MillraceError, MillraceError)
    const ours = new runtime.ChannelError('MILLRACE_CHANNEL_FULL', 'full')
    const theirs = new other.ChannelError('MILLRACE_CHANNEL_FULL', 'full')
    assert.ok(other.MillraceError.is(ours))
    assert.ok(MillraceError.is(theirs))
    assert.equal(theirs instanceof MillraceError, false)
  })

  it('the brand is not seen by those who enumerate or print', () => {
    const error = new runtime.AbortError()
    assert.deepEqual(Object.getOwnPropertySymbols(JSON.parse(JSON.stringify(error))), [])
    assert.equal(
      Object.getOwnPropertySymbols(error).every(
        (key) => !Object.getOwnPropertyDescriptor(error, key)?.enumerable,
      ),
      true,
    )
  })

  it('nothing else is taken for an error of ours', () => {
    for (const value of [undefined, null, 'x', 1, {}, new Error('x'), { code: 'MILLRACE_ABORTED' }])
      assert.equal(MillraceError.is(value), false)
  })

  it('messageOf gives the message of anything that can be thrown', () => {
    assert.equal(runtime.messageOf(new Error('boom')), 'boom')
    assert.equal(runtime.messageOf('boom'), 'boom')
    assert.equal(runtime.messageOf(undefined), 'undefined')
    assert.equal(runtime.messageOf(null), 'null')
  })
})

describe('docs/reference/errors.md', () => {
  const page = readFileSync(join(repository, 'docs', 'reference', 'errors.md'), 'utf8')
  const sections = page.split(/^## /m).slice(1)
  const rows = sections.flatMap((section) =>
    [...section.matchAll(/^\| `(MILLRACE_\w+)` \| (.*?) \| (yes|no) \| (.+) \|$/gm)].map(
      (match) => ({
        name: section.split('\n')[0] ?? '',
        code: match[1] as ErrorCode,
        text: match[2],
        retryable: match[3] === 'yes',
      }),
    ),
  )

  it('lists exactly the error codes, each once and with its sentence', () => {
    assert.deepEqual(Object.fromEntries(rows.map(({ code, text }) => [code, text])), {
      ...ERROR_CODES,
    })
    assert.equal(rows.length, Object.keys(ERROR_CODES).length)
  })

  it('puts each code under its class and says whether a retry can help', () => {
    for (const { name, code, retryable } of rows) {
      assert.equal(TABLE.find((row) => row.name === name)?.codes[code], retryable, code)
    }
  })
})
