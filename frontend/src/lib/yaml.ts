/** A JSON value as YAML, for reading and for `cronctl job save -f`. Pure; writes only what JSON can hold. */

const INDENT = '  '
/** Texts YAML would read as something else, or that need no thought: everything that is not plainly a word. */
const PLAIN = /^[A-Za-z/][A-Za-z0-9_./@+-]*( [A-Za-z0-9_./@+-]+)*$/
const KEYWORDS = /^(true|false|null|yes|no|on|off|y|n)$/i

function scalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value ?? null)
  return PLAIN.test(value) && !KEYWORDS.test(value) ? value : JSON.stringify(value)
}

function block(text: string, indent: string): string {
  const keeps = text.endsWith('\n') ? '|' : '|-'
  const lines = text.replace(/\n$/, '').split('\n')
  return `${keeps}\n${lines.map((line) => (line ? indent + line : '')).join('\n')}`
}

/** Whether a block keeps *text* to the letter: no odd line ends, no leading blanks, nothing unprintable. */
function fitsBlock(text: string): boolean {
  return text.includes('\n') && !/[^\n\t\x20-\x7e\u00a0-\ud7ff\ue000-\uffff]|^\s|\n\n$/.test(text)
}

function lines(value: unknown, indent: string): string {
  if (typeof value === 'string' && fitsBlock(value)) return ` ${block(value, indent)}`
  if (value === null || typeof value !== 'object') return ` ${scalar(value)}`
  const entries = Object.entries(value)
  if (entries.length === 0) return Array.isArray(value) ? ' []' : ' {}'
  const isList = Array.isArray(value)
  return `\n${entries
    .map(([key, item]) => `${indent}${isList ? '-' : `${scalar(key)}:`}${lines(item, indent + INDENT)}`)
    .join('\n')}`
}

export function toYaml(value: Record<string, unknown>): string {
  return `${lines(value, '').replace(/^\n/, '').trimStart()}\n`
}
