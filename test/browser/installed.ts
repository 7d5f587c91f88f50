// Says in one sentence that there is no Chromium, before anything else is started.
import { chromiumPath } from './chromium.ts';

if (!chromiumPath()) {
  console.error('There is no Chromium: `apt-get install chromium`, or name another one in CHROMIUM.');
  process.exitCode = 1;
}
