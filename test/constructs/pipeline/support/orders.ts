import { App, type TerraformStack } from "cdktf";
import {
  CloudNativeService,
  DeliveryStack,
  type Environment,
  Ingress,
  insecureHttp,
  Pipeline,
  type PipelineProps,
  Platform,
  Source,
} from "../../../../constructs";
import { synthesize } from "../../../../constructs/testing";
import { resources } from "../../../support/synth";

export const account = "123456789012";
export const staging: Environment = {
  name: "staging",
  region: "eu-central-1",
  account,
  profile: "dev",
  state: "s3",
  guardrails: { permissionsBoundary: `arn:aws:iam::${account}:policy/boundary` },
};
export const production: Environment = { ...staging, name: "production", profile: "production" };

/** A pipeline of `orders` with the stacks that it delivers. */
export function orders(props: Partial<PipelineProps> = {}, environments: readonly Environment[] = [staging]) {
  const app = new App();
  const stack = new DeliveryStack(app, "orders", { region: "eu-central-1", account, state: "s3" });
  const pipeline = new Pipeline(stack, "Pipeline", {
    source: Source.gitHub("acme/orders"),
    releases: environments.map((environment) => ({ environment })),
    ...props,
  });
  // After it, as an app may have it.
  for (const environment of environments) {
    const shop = new Platform(app, "shop", { environment, listener: insecureHttp() });
    new CloudNativeService(shop.stack("orders"), "Orders").add(new Ingress());
  }
  return { app, stack, pipeline };
}

export interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Everything that a role is allowed to do: in itself, and by the policies that it is given. */
export function statementsOf(stack: TerraformStack, role: string): Statement[] {
  const program = synthesize(stack);
  const roleIds = Object.entries(resources(program, "aws_iam_role"))
    .filter(([, values]) => values.name === role)
    .map(([id]) => id);
  const isOfRole = (reference: unknown) => roleIds.some((id) => String(reference).includes(`aws_iam_role.${id}.`));
  const statements = (policy: unknown) => (policy as { Statement: Statement[] }).Statement;
  const inline = Object.values(resources(program, "aws_iam_role_policy"))
    .filter((policy) => isOfRole(policy.role))
    .flatMap((policy) => statements(policy.policy));
  const attached = Object.values(resources(program, "aws_iam_role_policy_attachment"))
    .filter((attachment) => isOfRole(attachment.role))
    .flatMap((attachment) => {
      const id = /aws_iam_policy\.(\w+)\.arn/.exec(String(attachment.policy_arn))?.[1] ?? "";
      return statements(resources(program, "aws_iam_policy")[id]?.policy);
    });
  return [...inline, ...attached].filter(({ Effect }) => Effect === "Allow");
}
export const mayDo = (statements: readonly Statement[], action: string) =>
  statements.filter((statement) => statement.Action.includes(action));
