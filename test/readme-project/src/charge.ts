export { handler } from '../../../examples/readme/handler.ts';
