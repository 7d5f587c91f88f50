import { dynamoDBStore, idempotent, type StateVisit, stepFunctionsKey } from 'effectively-once';
import { payments } from './payments.ts';

/** As the state's arguments say, in JSONata; in a loop also `enteredTime`, in a Map state `mapIndex`. */
export const ARGUMENTS = {
  state: { executionId: '{% $states.context.Execution.Id %}', stateName: '{% $states.context.State.Name %}' },
  order: '{% $states.input.order %}',
};

interface Task {
  readonly state: StateVisit;
  readonly order: { readonly id: string; readonly amount: number };
}

export const handler = idempotent(async ({ order }: Task) => payments.charge(order.id, order.amount), {
  store: dynamoDBStore(),
  key: ({ state }) => stepFunctionsKey(state),
  fingerprint: ({ order }) => order, // not the task token, which is another at every try
});
