export { payments } from '../readme/payments.ts';
