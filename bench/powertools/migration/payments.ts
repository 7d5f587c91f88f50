export { charged, payments } from '../../../examples/readme/payments.ts';
