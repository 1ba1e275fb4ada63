import { AnnotationMetadataEntryType, App, type TerraformStack } from "cdktf";
import type { IConstruct } from "constructs";
import type { Environment } from "../../constructs";
import { InvalidPropsError, insecureHttp, Platform, type PlatformProps, type ServiceStack } from "../../constructs";
import { type SynthesizedStack, synthesize } from "../../constructs/testing";

export const DEV: Environment = { name: "dev", region: "eu-central-1", profile: "dev" };
export const PRODUCTION: Environment = { name: "production", region: "eu-central-1", profile: "production" };

/** A platform `shop` with a public load balancer, in an app of its own. */
export function shop(environment: Environment = DEV, props: Partial<PlatformProps> = {}): Platform {
  return new Platform(new App(), "shop", { environment, listener: insecureHttp(), ...props });
}

/** A stack for services `orders` on the platform `shop`. */
export function ordersStack(environment: Environment = DEV, props: Partial<PlatformProps> = {}): ServiceStack {
  return shop(environment, props).stack("orders");
}

type Block = Readonly<Record<string, unknown>>;

/** Resources of a type, by logical id, with JSON inside strings taken apart. */
export function resources(stack: TerraformStack | SynthesizedStack, type: string): Readonly<Record<string, Block>> {
  const synthesized = "node" in stack ? synthesize(stack as TerraformStack) : stack;
  return (synthesized.resource as Record<string, Record<string, Block>> | undefined)?.[type] ?? {};
}

/** The one resource of a type; fails when there are none or several. */
export function only(stack: TerraformStack | SynthesizedStack, type: string): Block {
  const found = Object.entries(resources(stack, type));
  if (found.length !== 1)
    throw new Error(`expected one ${type}, found ${found.map(([id]) => id).join(", ") || "none"}`);
  return found[0]![1];
}

/** Addresses of all resources of a stack, sorted: what Terraform knows them by. */
export function addresses(stack: TerraformStack | SynthesizedStack): string[] {
  const synthesized = "node" in stack ? synthesize(stack as TerraformStack) : stack;
  return Object.entries((synthesized.resource ?? {}) as Record<string, object>)
    .flatMap(([type, byId]) => Object.keys(byId).map((id) => `${type}.${id}`))
    .sort();
}

/** Refusals as `CODE prop`; fails if there are none, or if another error is thrown. */
export function refusals(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    if (!(error instanceof InvalidPropsError)) throw error;
    return error.problems.map((problem) => `${problem.code} ${problem.prop}`);
  }
  throw new Error("expected a refusal, got none");
}

/** Warnings that a construct has noted. */
export function warnings(construct: IConstruct): string[] {
  return construct.node.metadata
    .filter(({ type }) => type === AnnotationMetadataEntryType.WARN)
    .map(({ data }) => String(data));
}
