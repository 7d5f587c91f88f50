import { inspect, recordId, resolve } from 'effectively-once/operator';
import { expect, inject, it, vi } from 'vitest';
import { connectionOf } from '../../cli/connection.ts';
import { LOCAL } from '../../local/dynamodb.ts';
import { claimed } from '../stores/contract.ts';
import { newTable } from './world.ts';

it('decides nothing by a clock that AWS finds wrong, by which a lease may seem to be over', async () => {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: LOCAL.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL.credentials.secretAccessKey,
  });
  const where = { region: LOCAL.region, endpointUrl: inject('endpoint') };
  const { store } = connectionOf({ table: await newTable(), ...where });
  const id = recordId({ scope: 'charge', key: 'k' });
  await store.write({ kind: 'insert', next: claimed({ id, leaseUntil: 1 }) });
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 1_200_000 });
  await expect(resolve(store, id, { rerun: true })).rejects.toThrow(/1\d{3} s apart from that of AWS/);
  expect(await inspect(store, id)).toMatchObject({ state: 'stuck' });
  vi.useRealTimers();
  await resolve(store, id, { rerun: true });
});
