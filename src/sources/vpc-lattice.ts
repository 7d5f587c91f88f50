import { callerOf } from './caller.ts';
import { type HttpRequest, httpSource, type Values } from './http-request.ts';
import { isText, membersOf } from './members.ts';

/** What VPC Lattice sends, in version 1 and 2 of its event structure. */
interface VpcLatticeEvent {
  readonly method: string;
  readonly headers?: Values;
  readonly body?: unknown;
  // version 1
  readonly raw_path?: string;
  readonly query_string_parameters?: Values;
  readonly is_base64_encoded?: boolean;
  // version 2
  readonly path?: string;
  readonly queryStringParameters?: Values;
  readonly isBase64Encoded?: boolean;
  readonly requestContext?: unknown;
}

/** VPC Lattice. Version 1 names the caller only in headers, which any sender can forge. */
export const vpcLattice = httpSource<VpcLatticeEvent>({
  name: 'vpc-lattice',
  matches: (event) => {
    const { method, path, raw_path, requestContext } = membersOf(event);
    const isSecond = isText(path) && isText(membersOf(requestContext)['serviceNetworkArn']);
    return isText(method) && (isSecond || isText(raw_path));
  },
  principal: ({ requestContext }) => {
    const { type, principal } = membersOf(membersOf(requestContext)['identity']);
    return callerOf({ userArn: principal }, type === 'AWS_IAM');
  },
  requestOf,
});

function requestOf(event: VpcLatticeEvent): HttpRequest {
  const { method, headers, body, isBase64Encoded = event.is_base64_encoded ?? false } = event;
  const [rawPath = '', ...rawQuery] = String(event.raw_path).split('?');
  const path = event.path ?? rawPath;
  // Of a parameter that is there twice, version 1 lists one value only.
  const listed = event.queryStringParameters ?? event.query_string_parameters ?? '';
  const query = rawQuery.length > 0 ? rawQuery : listed;
  const reading = { isMultiValue: false, infersStatus: false };
  return { method, path, route: path, query, headers: [headers], ...reading, body, isBase64Encoded };
}
