import { ACCOUNT, REGION } from "../resolve";
import type { Call } from "../simulate";

/** Calls that AWS services, commands or apps make with the permissions of a role, and the page of AWS that requires them. */
export interface Flow {
  /** Name of the flow, for messages. */
  readonly name: string;
  /** Whole names of the roles; groups are the arguments of `calls`. */
  readonly role: RegExp;
  readonly source: string;
  readonly calls: (...groups: string[]) => readonly (readonly Call[])[] | Promise<readonly (readonly Call[])[]>;
}

export const arn = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
export const roleArn = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
/** Calls of several actions, separated by spaces, on one resource. */
export const calls = (actions: string, resource: string, context: Call["context"] = {}): Call[] =>
  actions.split(" ").map((action) => ({ action, resource, context }));
export const DOCS = "https://docs.aws.amazon.com";

export const KEY = arn("kms", "key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0");
export const CLUSTER = arn("ecs", "cluster/shop-dev");
export const TASK = arn("ecs", "task/shop-dev/0123456789abcdef0123456789abcdef");
export const INSTANCE = arn("ec2", "instance/i-0123456789abcdef0");
/** Parts of the names of log groups, parameters and clusters. */
export const path = (platform: string) => platform.replace("-", "/");
export const group = (name: string) => arn("logs", `log-group:${name}:log-stream:0/1`);
export const passed = (service: string) => ({ "iam:PassedToService": `${service}.amazonaws.com` });
