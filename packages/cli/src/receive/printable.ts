/**
 * Text from elsewhere, made safe to show. A log line is data: nothing in it may move the cursor,
 * recolour the screen, set a title, answer for the user or turn the reading direction around.
 */

/** C0 but tab and newline, DEL, C1; bidirectional controls; line and paragraph separators; BOM; lone surrogates. */
const UNSAFE =
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** Replaces every character that a terminal might obey by its visible escape; tab and newline stay. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNSAFE, escape)
}

/** As {@link printable}, in one line: tabs and newlines are escaped too. */
export function printableLine(text: string): string {
  return printable(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t')
}

/** Escapes in JSON what JSON itself lets through and a terminal might obey. The value stays the same. */
export function printableJson(json: string): string {
  return json.replace(UNSAFE, jsonEscape)
}

function escape(character: string): string {
  const code = character.charCodeAt(0)
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : jsonEscape(character)
}

function jsonEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
