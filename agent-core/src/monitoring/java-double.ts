/** A double as Java's `Double.toString` writes it: `0.03`, `100.0`, `1.0E-4`. */
export function javaDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  const size = Math.abs(value)
  if (size === 0 || (size >= 1e-3 && size < 1e7)) return withFraction(String(value))
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return `${withFraction(digits)}E${Number(exponent)}`
}

function withFraction(digits: string): string {
  return digits.includes('.') ? digits : `${digits}.0`
}
