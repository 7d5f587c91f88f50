import { dynamoDBStore } from 'effectively-once';
import { inspect, list, resolve } from 'effectively-once/operator';
import { payments } from './payments.ts';

/** Decides every payment whose outcome nobody knows by what the provider says. */
export async function settlePayments(tableName: string): Promise<string[]> {
  const store = dynamoDBStore({ tableName });
  const decided: string[] = [];
  for await (const seen of list(store, { scope: 'pay', state: ['in-doubt', 'stuck'] })) {
    if (seen.key === undefined || seen.cut.includes('key')) continue; // not the whole key: decide it by hand
    const { steps } = await inspect(store, seen.id);
    const charge = await payments.find(seen.key);
    console.log(seen.key, Object.keys(steps ?? {}), charge);
    await resolve(store, seen.id, charge ? { value: charge } : { rerun: true }, { seen });
    decided.push(seen.id);
  }
  return decided;
}
