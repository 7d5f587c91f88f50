export { handler } from '../../../examples/readme/batch.ts';
