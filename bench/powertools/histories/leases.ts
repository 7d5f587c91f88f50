import type { Context } from 'aws-lambda';
import { LEASE_MS, TIMEOUT_MS } from '../lab.ts';
import { effectful, effects, type History, said, see } from './history.ts';

const order = () => ({ orderId: '1', payload: { amount: 1 } });
const MINUTE = 60_000;

export const leases: readonly History[] = [
  {
    id: 'A15',
    story: 'a crash of a run that had no time left, retried after a minute',
    async play({ handler: wrap, context, wait }) {
      const { handler, count, entered } = effectful([1]);
      const call = wrap({}, handler);
      void see(call(order(), context(0)));
      await entered(1);
      wait(MINUTE);
      const retry = await see(call(order(), context()));
      return { isSafe: !retry.isError, saw: retry.isError ? `locked: ${said(retry)}` : `ran, ${count()} runs` };
    },
  },
  {
    id: 'A16',
    story: 'a crash, retried within its lease and after it',
    async play({ handler: wrap, context, wait }) {
      const { handler, count, entered } = effectful([1]);
      const call = wrap({}, handler);
      void see(call(order(), context()));
      await entered(1);
      wait(TIMEOUT_MS - 1_000);
      const early = await see(call(order(), context()));
      wait(LEASE_MS - TIMEOUT_MS + 1_000);
      const late = await see(call(order(), context()));
      return { isSafe: early.isError && !late.isError && count() === 2, saw: `${said(early)}, then ${said(late)}` };
    },
  },
  {
    id: 'A17',
    story: 'a crash outside of Lambda, retried after a minute',
    async play({ function: wrap, wait }) {
      const { handler, count, entered } = effectful([1]);
      const { call } = wrap({}, handler);
      void see(call(order()));
      await entered(1);
      wait(MINUTE);
      const retry = await see(call(order()));
      return { isSafe: !retry.isError, saw: retry.isError ? `locked: ${said(retry)}` : `ran, ${count()} runs` };
    },
  },
  {
    id: 'A18',
    story: 'an inner function of a long invocation, a short one beside it',
    async play({ function: wrap, context, wait }) {
      const { handler, count, entered, letGo } = effectful([1]);
      const { enter, call } = wrap({}, handler);
      enter(context(MINUTE));
      enter(context(1_000)); // another invocation in the same process
      const inner = see(call(order()));
      await entered(1);
      wait(5_000);
      enter(context(MINUTE));
      await see(call(order()));
      letGo(1);
      await inner;
      return effects(count(), 1);
    },
  },
  {
    id: 'A19',
    story: "a duplicate in a run's last 10 ms, its clock ½ s ahead",
    async play({ handler: wrap, context, wait }) {
      const { handler, count, entered, letGo } = effectful([1]);
      const call = wrap({}, handler);
      const first = see(call(order(), context()));
      await entered(1);
      wait(TIMEOUT_MS - 10 + 500);
      await see(call(order(), context()));
      letGo(1);
      await first;
      return effects(count(), 1);
    },
  },
  {
    id: 'D1',
    story: 'a durable replay over the completed record of another run',
    async play({ handler: wrap, context }) {
      const { handler, count } = effectful();
      const call = wrap({}, handler);
      await call(order(), context());
      const durable = { lambdaContext: context(), step: () => {}, durableExecutionMode: 'ReplayMode' };
      const replay = await see(call(order(), durable as unknown as Context));
      return effects(count(), 1, said(replay));
    },
  },
];
