import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Coloured on a terminal that takes colours, unless NO_COLOR is set. */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return hasColors(stream) ? styleText(style, text, { validateStream: false }) : text;
}

export function hasColors(stream: NodeJS.WriteStream): boolean {
  return Boolean(stream.isTTY) && !process.env['NO_COLOR'] && stream.hasColors();
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Beside the output: what is not part of the answer. */
export function remark(text: string): void {
  process.stderr.write(`${styled('dim', text, process.stderr)}\n`);
}

export function complain(text: string): void {
  process.stderr.write(`${styled('red', printable(text), process.stderr)}\n`);
}

/** Keys and callers are what a sender chose: no control character of theirs reaches a terminal, and no line of theirs looks like ours. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** Columns as wide as their widest cell. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => printable(cell)));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [styled('bold', lines[0] ?? ''), ...lines.slice(1)].join('\n');
}

/** `3 min`, `2 h`, `5 d`. */
export function lasting(ms: number): string {
  const [size, unit] = (
    [
      [86_400_000, 'd'],
      [3_600_000, 'h'],
      [60_000, 'min'],
    ] as const
  ).find(([least]) => ms >= least) ?? [1_000, 's'];
  return `${Math.floor(ms / size)} ${unit}`;
}

/** An instant, and how far away it is. */
export function at(ms: number, now = Date.now()): string {
  const distance = ms <= now ? `${lasting(now - ms)} ago` : `in ${lasting(ms - now)}`;
  return `${new Date(ms).toISOString()} (${distance})`;
}

export function counted(number: number): string {
  return Math.round(number).toLocaleString('en-US');
}

export function sized(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  const kilo = bytes / 1_024;
  return kilo < 1_024 ? `${kilo.toFixed(1)} KB` : `${(kilo / 1_024).toFixed(1)} MB`;
}
