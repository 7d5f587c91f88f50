import { Duration, Validations } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/** The longest that SQS keeps a message. */
export const LONGEST_RETENTION = Duration.days(14);

interface SecureProps extends Omit<sqs.QueueProps, 'encryption' | 'encryptionMasterKey' | 'enforceSSL'> {
  readonly encryptionKey?: kms.IKey;
}

/** A queue that is encrypted and refuses plain HTTP. */
export function secureQueue(scope: Construct, id: string, { encryptionKey, ...props }: SecureProps): sqs.Queue {
  return new sqs.Queue(scope, id, {
    ...props,
    enforceSSL: true,
    encryption: encryptionKey ? sqs.QueueEncryption.KMS : sqs.QueueEncryption.SQS_MANAGED,
    encryptionMasterKey: encryptionKey,
  });
}

/** A queue of what Lambda has given up. */
export function onFailureQueue(scope: Construct, encryptionKey?: kms.IKey): sqs.Queue {
  const queue = secureQueue(scope, 'OnFailureQueue', { encryptionKey, retentionPeriod: LONGEST_RETENTION });
  Validations.of(queue).acknowledge({
    id: 'AwsSolutions-SQS3',
    reason: 'It is a dead-letter queue itself: that of an event source mapping, which the check does not know.',
  });
  return queue;
}
