export type { RecordIdentity } from './record-id.ts';
export { recordId } from './record-id.ts';
export { resolve } from './resolve.ts';
