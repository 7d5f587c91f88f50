import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runOnce } from 'effectively-once';
import { faulty, memoryStore, testClock } from 'effectively-once/testing';

test('a run that died is taken over when its lease has ended', async (t) => {
  const clock = testClock();
  t.after(clock.restore);
  const store = faulty(memoryStore());
  const transfer = () =>
    runOnce({ store, scope: 'transfer', key: 't-1', lease: '30s' }, async ({ attempt, commit }) => {
      await commit({ attempt }, [{ Put: { TableName: 'transfers', Item: { id: 't-1' } } }]);
    });

  store.next('transact', 'crash');
  void transfer(); // never to be heard of again
  await clock.advance('29s');
  await assert.rejects(transfer(), { code: 'CONFLICT' });

  await clock.advance('2s'); // the clock skew is in the lease
  assert.deepEqual(await transfer(), { attempt: 2 });
  assert.equal(store.commits().length, 1);
});
