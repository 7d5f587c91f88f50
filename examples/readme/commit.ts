import { dynamoDBStore, runOnce } from 'effectively-once';

const store = dynamoDBStore();

export async function transferOnce(id: string, from: string, to: string, amount: number) {
  return runOnce({ store, scope: 'transfer', key: id, payload: [from, to, amount], lease: '30s' }, ({ commit }) =>
    commit({ id, amount }, [move(from, -amount), move(to, amount)]),
  );
}

function move(account: string, amount: number) {
  return {
    Update: {
      TableName: process.env['ACCOUNTS_TABLE'],
      Key: { account },
      UpdateExpression: 'ADD balance :amount',
      ExpressionAttributeValues: { ':amount': amount },
    },
  };
}
