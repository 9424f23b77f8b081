import assert from 'node:assert/strict'
import { javaDouble } from '@millrace/agent-core/internal/monitoring/java-double'

describe('javaDouble', () => {
  const cases: readonly [number, string][] = [
    [0, '0.0'],
    [100, '100.0'],
    [0.03, '0.03'],
    [1 / 3, '0.3333333333333333'],
    [0.001, '0.001'],
    [0.00099, '9.9E-4'],
    [1e-4, '1.0E-4'],
    [9_999_999, '9999999.0'],
    [1e7, '1.0E7'],
    [12_345_678.9, '1.23456789E7'],
    [Number.MAX_VALUE, '1.7976931348623157E308'],
    [-2.5, '-2.5'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [Number.NaN, 'NaN'],
  ]
  for (const [value, text] of cases) {
    it(`writes ${value} as ${text}`, () => assert.equal(javaDouble(value), text))
  }
})
