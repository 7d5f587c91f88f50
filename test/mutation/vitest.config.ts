import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const resolve = { conditions: ['effectively-once-source'] };

/** The tests that must see a fault in the core. Most mutants die in the first: the slow ones stand last. */
const TESTS = [
  'test/core/check.test.ts',
  'test/core/decide.test.ts',
  'test/core/duration.test.ts',
  'test/core/errors.test.ts',
  'test/core/identity.test.ts',
  'test/core/patience.test.ts',
  'test/core/protocol.test.ts',
  'test/core/record.test.ts',
  'test/core/store.test.ts',
  'test/stores/dynamodb-item.test.ts',
  'test/stores/dynamodb-reader.test.ts',
  'test/refusals.test.ts',
  'test/sources/fingerprints.test.ts',
  'test/options.test.ts',
  'test/events-channel.test.ts',
  'test/stores/memory.test.ts',
  'test/operator/grants.test.ts',
  'test/core/canonical.test.ts',
  'test/stores/dynamodb.test.ts',
  'test/requests.test.ts',
  'test/lease.test.ts',
  'test/unknown.test.ts',
  'test/operator.test.ts',
  'test/operator/identity.test.ts',
  'test/replays.test.ts',
  'test/steps.test.ts',
  'test/commit.test.ts',
  'test/atomic.test.ts',
  'test/http.test.ts',
  'test/forget.test.ts',
  'test/outcomes.test.ts',
];

class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => TESTS.findIndex((test) => moduleId.endsWith(test));
    return files.toSorted((a, b) => place(a) - place(b));
  }
}

// biome-ignore lint/style/noDefaultExport: Vitest asks for one
export default defineConfig({
  resolve,
  ssr: { resolve },
  test: {
    include: TESTS,
    sequence: { sequencer: InOrder },
    globalSetup: 'test/engine.ts',
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
