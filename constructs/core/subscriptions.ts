import { SnsTopicSubscription } from "@cdktf/provider-aws/lib/sns-topic-subscription";
import type { Construct } from "constructs";
import { literal } from "./literal";
import { keyedId } from "./names";
import { isReference } from "./reference";
import { movedFrom } from "./renamed";

const PREFIXES = { email: "Email", https: "Url" } as const;

/**
 * Subscribes addresses to a topic. SNS has one subscription of an address, whichever resource created it: with ids by
 * position, removing the first address would delete the subscription that the second one's new resource had just found.
 */
export function subscribe(
  scope: Construct,
  topicArn: string,
  protocol: keyof typeof PREFIXES,
  endpoints: readonly string[],
): void {
  const prefix = PREFIXES[protocol];
  const known = !endpoints.some(isReference);
  [...new Set(endpoints)].forEach((endpoint, index) => {
    const position = `${prefix}${index + 1}`;
    const id = known ? keyedId(scope, prefix, endpoint) : position;
    const subscription = new SnsTopicSubscription(scope, id, { topicArn, protocol, endpoint: literal(endpoint) });
    // Before, ids were by position.
    if (known) movedFrom(subscription, position);
  });
}
