import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Chromium is: what CHROMIUM names, or else Debian's on the PATH. */
export function chromiumPath(): string | undefined {
  const { CHROMIUM: named, PATH = '' } = process.env;
  return named
    ? found(named)
    : PATH.split(delimiter)
        .map((part) => found(join(part, 'chromium')))
        .find(Boolean);
}

function found(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return undefined;
  }
}
