import { type IResolveContext, Token } from "cdktf";
import { AwsStack } from "./stack";

/**
 * A text that each stack writes by itself, such as the ARN of a thing whose name is known: what one stack says of another's
 * thing then needs neither that stack's state nor its outputs.
 */
export function perStack(write: (stack: AwsStack) => string): string {
  return Token.asString({
    creationStack: [],
    resolve: (context: IResolveContext) => write(AwsStack.of(context.scope)),
    toString: () => "<written by each stack>",
  });
}

/** ARN of a thing in the account and region of the stack that made it, as any stack of this app may write it. */
export function sharedArn(owner: AwsStack, service: string, resource: string): string {
  return perStack(
    (stack) => `arn:${stack.partition}:${service}:${owner.environment.region}:${accountFor(stack, owner)}:${resource}`,
  );
}

/** The owner's account, where it is told; else both are in the one that the credentials are for. */
export function accountFor(stack: AwsStack, owner: AwsStack): string {
  return owner.environment.account ?? stack.accountId;
}
