/** A table in Markdown; numbers to the right. */
export function table(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const align = headings.map((_, column) => (rows.every((row) => isFigure(row[column])) ? '---:' : '---'));
  return [headings, align, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function isFigure(cell: string | number | undefined): boolean {
  return typeof cell === 'number' || /^(at most )?[$–]?[\d.,]*( [%a-zA-Z]{1,3})?$/.test(cell ?? '');
}

/** `1,234` */
export function grouped(figure: number): string {
  return figure.toLocaleString('en-US', { maximumFractionDigits: 1 });
}

/** Tenths of a cent matter below 100 dollars. */
export function dollars(amount: number): string {
  const [least, most] = amount < 100 ? [2, 3] : [0, 0];
  return `$${amount.toLocaleString('en-US', { minimumFractionDigits: least, maximumFractionDigits: most })}`;
}
