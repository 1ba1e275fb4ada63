import { IamPolicy } from "@cdktf/provider-aws/lib/iam-policy";
import { IamRolePolicyAttachment } from "@cdktf/provider-aws/lib/iam-role-policy-attachment";
import { Lazy } from "cdktf";
import { Construct } from "constructs";
import { boundaryOf } from "../../contract/boundary";
import type { Environment } from "../core/environment";
import { validateAtSynth } from "../core/errors";
import { policyDocument, type Role, type Statement } from "../core/iam";
import { bucketStart, mayShareBuckets, readsBucket, WHOLE_PREFIX } from "../core/names";
import { PROFILE_DEFAULTS } from "../core/profiles";
import { readsSecrets } from "../core/secrets";
import { AwsStack } from "../core/stack";
import { statePlace } from "../core/state";
import { BOUNDED, boundedStatements, deniedStatements } from "./environment-limits";
import type { EnvironmentStacks } from "./environment-stacks";
import {
  ATTACHABLE_POLICIES,
  BUCKET_ACTIONS,
  EMPTY_BUCKET_ACTIONS,
  PARAMETER_ACTIONS,
  PASSED_TO,
  ROLE_ACTIONS,
  SERVICE_LINKED,
} from "./named-actions";
import { ELSEWHERE, TERRAFORM_ACTIONS } from "./terraform-actions";

/**
 * Maximum number of characters of a managed policy, not counting white space. @see
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
const POLICY_LIMIT = 6144;

type Access = "read" | "write";

/**
 * Actions of Terraform, each in full and limited to this region, on resources whose ids are not known in advance. Changes of other
 * environments are denied by tag: see `environment-limits.ts`.
 */
export function serviceStatements(access: Access, region: string): Statement[] {
  return (
    Object.entries(TERRAFORM_ACTIONS)
      // The order decides which policy holds a service: a new file of actions must not move the others.
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([service, actions]) => ({ service, actions: actions[access].map((action) => `${service}:${action}`) }))
      .filter(({ service, actions }) => actions.length > 0 && (access === "read" || !BOUNDED.includes(service)))
      .map(({ service, actions }) => ({
        actions,
        // Terraform creates resources whose ARN does not exist yet, and calls list actions that have no resource; the region
        // limits them.
        resources: ["*"],
        ...(ELSEWHERE.includes(service) ? {} : { conditions: { StringEquals: { "aws:RequestedRegion": region } } }),
      }))
  );
}

/** ARNs of an environment's resources, by name prefix. */
interface Names {
  readonly partition: string;
  readonly account: string;
  readonly environment: Environment;
  /** Prefixes of the names of roles and buckets: `shop-staging`. */
  readonly prefixes: readonly string[];
  /** Ids of the stacks. */
  readonly stackIds: readonly string[];
  /** ARNs of secrets that Terraform itself reads and stores in its state. */
  readonly secrets: readonly string[];
  /** Buckets with other names. */
  readonly adoptedBuckets: readonly string[];
}

/** Statements for resources with known names: state, roles, buckets and parameters. The apply role has both kinds. */
export function namedStatements(access: Access, names: Names): Statement[] {
  const { partition, account, environment, prefixes } = names;
  const { rolePath = "/" } = environment.guardrails ?? {};
  const iam = (kind: string, path: string) =>
    prefixes.map((prefix) => `arn:${partition}:iam::${account}:${kind}${path}${prefix}-*`);
  const roles = iam("role", rolePath);
  const ownBuckets = prefixes.map((prefix) => `arn:${partition}:s3:::${bucketStart(prefix)}*`);
  const buckets = [...ownBuckets, ...names.adoptedBuckets.map((name) => `arn:${partition}:s3:::${name}`)];
  const parameters = [
    `arn:${partition}:ssm:${environment.region}:${account}:parameter/antifragile/${environment.name}/*`,
  ];
  const stackStates = stateStatements(access, names);
  if (access === "read") {
    return [
      ...stackStates,
      { actions: ROLE_ACTIONS.read, resources: [...roles, ...iam("instance-profile", rolePath)] },
      { actions: BUCKET_ACTIONS.read, resources: buckets },
      // Also the public parameters with AWS's recommended AMIs, which belong to no account.
      {
        actions: PARAMETER_ACTIONS.read,
        resources: [...parameters, `arn:${partition}:ssm:${environment.region}::parameter/aws/service/*`],
      },
      ...(names.secrets.length === 0
        ? []
        : readsSecrets("secretsmanager", { partition, region: environment.region }, names.secrets)),
    ];
  }
  const boundary = boundaryOf(environment);
  const bounded =
    boundary === undefined ? {} : { conditions: { StringEquals: { "iam:PermissionsBoundary": boundary } } };
  return [
    ...stackStates,
    { actions: ROLE_ACTIONS.write, resources: [...roles, ...iam("instance-profile", rolePath)] },
    { actions: ROLE_ACTIONS.bounded, resources: roles, ...bounded },
    {
      actions: ["iam:AttachRolePolicy"],
      resources: roles,
      conditions: {
        ArnEquals: { "iam:PolicyARN": ATTACHABLE_POLICIES.map((name) => `arn:${partition}:iam::aws:policy/${name}`) },
        ...bounded.conditions,
      },
    },
    {
      actions: ["iam:PassRole"],
      resources: roles,
      conditions: { StringEquals: { "iam:PassedToService": PASSED_TO } },
    },
    {
      actions: ["iam:CreateServiceLinkedRole"],
      resources: [`arn:${partition}:iam::${account}:role/aws-service-role/*`],
      conditions: { StringEquals: { "iam:AWSServiceName": SERVICE_LINKED } },
    },
    { actions: BUCKET_ACTIONS.write, resources: buckets },
    {
      actions: EMPTY_BUCKET_ACTIONS,
      resources: PROFILE_DEFAULTS[environment.profile].production
        ? prefixes.map((prefix) => `arn:${partition}:s3:::${readsBucket(prefix, account)}/*`)
        : // Also matches the objects.
          ownBuckets,
    },
    { actions: PARAMETER_ACTIONS.write, resources: parameters },
  ];
}

/** Statements for the state. The plan role reads and locks it; only the apply role writes it. */
function stateStatements(access: Access, { partition, environment, stackIds }: Names): Statement[] {
  const places = stackIds.flatMap((id) => statePlace(id, environment) ?? []);
  const [place] = places;
  if (place === undefined) return [];
  const bucket = `arn:${partition}:s3:::${place.bucket}`;
  const objects = (ending: string) => places.map(({ key }) => `${bucket}/${key}${ending}`);
  if (access === "write") return [{ actions: ["s3:PutObject"], resources: objects("") }];
  return [
    {
      actions: ["s3:ListBucket"],
      resources: [bucket],
      // Terraform asks for workspaces below "env:/" whenever it initializes.
      conditions: {
        StringEquals: { "s3:prefix": ["env:/", ...places.flatMap(({ key }) => [key, `${key}.tflock`]).sort()] },
      },
    },
    { actions: ["s3:GetObject"], resources: objects("") },
    { actions: ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], resources: objects(".tflock") },
    ...(place.kmsKeyArn === undefined
      ? []
      : [{ actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: [place.kmsKeyArn] }]),
  ];
}

/** Splits statements into policy documents within IAM's size limit. */
export function documents(statements: readonly Statement[]): string[] {
  const parts: Statement[][] = [];
  for (const statement of statements) {
    const room = parts.find((part) => policyDocument([...part, statement]).length <= POLICY_LIMIT);
    if (room !== undefined) room.push(statement);
    else parts.push([statement]);
  }
  return parts.map((part) => policyDocument(part));
}

export interface TerraformAccessProps {
  readonly environment: Environment;
  readonly stacks: EnvironmentStacks;
  /** Prefix of the policies' names: `orders-delivery-staging`. */
  readonly name: string;
}

/**
 * Permissions of Terraform in one environment for two roles: one that plans and changes nothing, and one that applies. Uses
 * managed policies, since they exceed the size of inline policies. Free.
 */
export class TerraformAccess extends Construct {
  readonly #plan: readonly IamPolicy[];
  readonly #apply: readonly IamPolicy[];

  constructor(scope: Construct, id: string, props: TerraformAccessProps) {
    super(scope, id);
    const { environment, stacks } = props;
    const stack = AwsStack.of(this);
    const policy = (policyId: string, name: string, text: string) =>
      new IamPolicy(this, policyId, { name: stack.physicalName("policy", props.name, name), policy: text });
    const document = (access: Access, { partition, account }: { partition: string; account: string }) =>
      policyDocument(
        namedStatements(access, {
          partition,
          account,
          environment,
          prefixes: stacks.prefixes(),
          stackIds: stacks.ids(),
          secrets: stacks.secrets(),
          adoptedBuckets: stacks.adoptedBuckets(),
        }),
      );
    type Place = { readonly partition: string; readonly account: string };
    const bounds = ({ partition, account }: Place) => ({
      arn: (service: string) => `arn:${partition}:${service}:${environment.region}:${account}:`,
      region: environment.region,
      prefixes: stacks.prefixes(),
      environments: stacks.tags("Environment"),
    });
    const texts: Readonly<Record<string, (place: Place) => string>> = {
      ReadOwn: (place) => document("read", place),
      WriteOwn: (place) => document("write", place),
      WriteNamed: (place) => policyDocument(boundedStatements(bounds(place))),
      DenyOthers: (place) => policyDocument(deniedStatements(bounds(place)), "Deny"),
    };
    // Stacks may be added after the pipeline.
    const named = (policyId: string, name: string) =>
      policy(
        policyId,
        name,
        Lazy.stringValue({ produce: () => texts[policyId]!({ partition: stack.partition, account: stack.accountId }) }),
      );
    validateAtSynth(this, () => [
      ...stacks
        .prefixes()
        .filter((prefix) => prefix.length > WHOLE_PREFIX)
        .map((prefix) => ({
          code: "PIPELINE_LONG_NAME",
          prop: "releases",
          problem: `must have names of at most ${WHOLE_PREFIX} characters, but "${prefix}" has ${prefix.length}: longer names are cut, and the roles may only change what begins with all of it`,
          remedy: "Use a shorter name for the platform, the stack or the environment.",
        })),
      ...stacks.prefixes().flatMap((prefix) =>
        stacks
          .prefixesOfOthers()
          .filter((other) => mayShareBuckets(prefix, other))
          .map((other) => ({
            code: "PIPELINE_SAME_BUCKETS",
            prop: "releases",
            problem: `must have names that differ in their first characters, but names of buckets of "${prefix}" and "${other}" are cut to "${bucketStart(prefix)}" and "${bucketStart(other)}"`,
            remedy: "Use a shorter name for the platform or the stack, or environments that begin with other letters.",
          })),
      ),
      ...(Object.values(texts).some(
        (text) => text({ partition: "aws-us-gov", account: "0".repeat(12) }).length > POLICY_LIMIT,
      )
        ? [
            {
              code: "PIPELINE_TOO_MANY_STACKS",
              prop: "releases",
              problem: `must have few enough stacks to fit in an IAM policy, but ${environment.name} has ${stacks.ids().length}`,
              remedy: "Deliver each service with its own pipeline, in its own app.",
            },
          ]
        : []),
    ]);
    const all = (access: Access) =>
      documents(serviceStatements(access, environment.region)).map((text, index) =>
        policy(`${access === "read" ? "Read" : "Write"}${index + 1}`, `${access}-${index + 1}`, text),
      );
    const read = all("read");
    this.#plan = [...read, named("ReadOwn", "read-own")];
    this.#apply = [
      ...this.#plan,
      ...all("write"),
      named("WriteOwn", "write-own"),
      named("WriteNamed", "write-named"),
      named("DenyOthers", "deny-others"),
    ];
  }

  /** Allows a role to read everything that a plan needs, and to lock the state. */
  allowPlan(role: Role): void {
    this.#attach(role, this.#plan);
  }

  /** Allows a role to create, change and delete the resources of the environment's stacks. */
  allowApply(role: Role): void {
    this.#attach(role, this.#apply);
  }

  #attach(role: Role, policies: readonly IamPolicy[]): void {
    for (const policy of policies) {
      new IamRolePolicyAttachment(role, policy.node.id, { role: role.roleName, policyArn: policy.arn });
    }
  }
}
