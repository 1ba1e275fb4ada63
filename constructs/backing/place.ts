import type { Construct, IConstruct } from "constructs";
import { Alarm, type AlarmProps, type IAlarm } from "../core/alarm";
import { invalid } from "../core/errors";
import { EncryptionKey } from "../core/key";
import { classNameOf, kebab, type NameKind } from "../core/names";
import { sharedArn } from "../core/per-stack";
import { AwsStack } from "../core/stack";
import { type IVpc, STACK_VPC } from "../vpc/vpc";
import type { BackingHost } from "./host";

/**
 * Returns the stack of a construct that holds data.
 *
 * @throws InvalidPropsError BACKING_LIFETIME
 */
export function dataStackOf(construct: IConstruct): AwsStack {
  const stack = AwsStack.of(construct);
  if (stack.lifetime === "data" || stack.lifetime === "platform") return stack;
  throw invalid(construct, {
    code: "BACKING_LIFETIME",
    prop: "scope",
    problem: `is in ${stack.node.path} and would be destroyed together with the service`,
    remedy: `Create it in the data stack: new ${classNameOf(construct)}(stack.data, ...).`,
  });
}

/** Physical name in AWS: `orders-dev-mails`. */
export function backingName(construct: IConstruct, kind: NameKind): string {
  const stack = AwsStack.of(construct);
  return stack.physicalName(kind, stack.stackName, stack.environment.name, kebab(construct.node.id));
}

/** Returns the ARN of the KMS key of all data in a stack, or undefined where AWS manages its keys. */
export function dataKeyArnOf(stack: AwsStack): string | undefined {
  if (!stack.customerManagedKeys) return undefined;
  const id = "DataKey";
  // One for all of them: a database restored from the backup of another needs the key of that one.
  const key =
    (stack.node.tryFindChild(id) as EncryptionKey | undefined) ??
    new EncryptionKey(stack, id, { description: `Databases, caches and tables of ${stack.stackName}` });
  return key.keyArn;
}

/** Returns the VPC that was passed, or that of the platform. */
export function vpcOf(construct: IConstruct, contract: IVpc | undefined): IVpc {
  const stack = AwsStack.of(construct);
  const vpc = contract ?? STACK_VPC.of(construct);
  if (vpc !== undefined) return vpc;
  throw invalid(construct, {
    code: "BACKING_VPC",
    prop: "vpc",
    problem: `must be set, because ${stack.node.path} belongs to no platform`,
    remedy: "Set vpc, or create the construct in the data stack of platform.stack(...).",
  });
}

/** Creates the alarm for the health of a backing service, in its own stack. */
export function healthAlarm(scope: Construct, props: Omit<AlarmProps, "name">): IAlarm {
  const stack = AwsStack.of(scope);
  const alarm = new Alarm(scope, "Health", {
    ...props,
    name: [stack.stackName, stack.environment.name, kebab(scope.node.id), "health"],
  });
  return { alarmName: alarm.alarmName, alarmArn: sharedArn(stack, "cloudwatch", `alarm:${alarm.alarmName}`) };
}

/** Applies the stack of the backing service before those of its users. */
export function comesFirst(backing: IConstruct, host: BackingHost): void {
  const [theirs, ours] = [AwsStack.of(host.scope), AwsStack.of(backing)];
  if (theirs !== ours) theirs.addDependency(ours);
}
