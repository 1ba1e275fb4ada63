import { type IResolveContext, Token } from "cdktf";
import { AwsStack } from "./stack";

/**
 * Creates a token that each stack renders itself, such as the ARN of a resource with a known name. A stack can then refer to
 * a resource of another stack without that stack's state or outputs.
 */
export function perStack(write: (stack: AwsStack) => string): string {
  return Token.asString({
    creationStack: [],
    resolve: (context: IResolveContext) => write(AwsStack.of(context.scope)),
    toString: () => "<written by each stack>",
  });
}

/** Returns the ARN of a resource in the owner's account and region, for use in any stack of this app. */
export function sharedArn(owner: AwsStack, service: string, resource: string): string {
  return perStack(
    (stack) => `arn:${stack.partition}:${service}:${owner.environment.region}:${accountFor(stack, owner)}:${resource}`,
  );
}

/** Account of the owner if it is configured; otherwise both stacks use the account of the credentials. */
export function accountFor(stack: AwsStack, owner: AwsStack): string {
  return owner.environment.account ?? stack.accountId;
}
