/** Query parameters as headers: of one that stands more than once the first value. */
export function firstValues(query: URLSearchParams): Record<string, string> {
  const headers = new Map<string, string>()
  for (const [name, value] of query) if (!headers.has(name)) headers.set(name, value)
  return Object.fromEntries(headers)
}
