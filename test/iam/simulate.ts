import { iamSimulate } from "./packages";
import { ACCOUNT, nameOf, OIDC_PROVIDER, type Program, REGION, resolve } from "./resolve";
import type { SimulatedRole } from "./roles";

/** A request to AWS, with the context keys that AWS sets for it. */
export interface Call {
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

/** Environment of a stack, by its default tags; undefined for a stack that belongs to none. */
export function environmentOf(program: Program): string | undefined {
  return program.provider?.aws?.[0]?.default_tags?.[0]?.tags?.Environment;
}

/** Services of which AWS sends no tags of the resource: names alone limit them. */
export const WITHOUT_TAGS = /^(s3|ssm|scheduler|iam):/;

/** Context of a call on a resource that this library created in an environment. */
export function taggedByAws(action: string, environment: string): Call["context"] {
  return {
    "aws:RequestedRegion": REGION,
    ...(WITHOUT_TAGS.test(action)
      ? {}
      : { "aws:ResourceTag/Environment": environment, "aws:ResourceTag/ManagedBy": "antifragile" }),
  };
}

/** Key policy that leaves the decision to the account, as AWS's default and ours do. */
const LEFT_TO_THE_ACCOUNT = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "kms:*", Resource: "*" }],
};

/**
 * Spellings that the simulator knows for those that it refuses or drops, in policies and calls alike: AWS's own documents and parameters of
 * Systems Manager, whose ARN has no account, keys of an encryption context, and claims of tokens.
 */
const SPELLINGS: readonly (readonly [text: string, instead: string])[] = [
  ["::document/", ":000000000000:document/"],
  ["::parameter/", ":000000000000:parameter/"],
  ["kms:EncryptionContext:SecretARN", "kms:RequestAlias"],
  ["kms:EncryptionContext:PARAMETER_ARN", "kms:EncryptionAlgorithm"],
  ["kms:EncryptionContext:aws:dynamodb:tableName", "kms:RequestAlias"],
  ["kms:EncryptionContext:aws:dynamodb:subscriberId", "kms:CallerAccount"],
  // Claims of tokens: those of these names are known of few issuers.
  ...["token.actions.githubusercontent.com", "gitlab.com"].flatMap((issuer) =>
    ["aud", "sub"].map((claim) => [`${issuer}:${claim}`, `accounts.google.com:${claim}`] as const),
  ),
];

function spelled<T>(value: T): T {
  const text = JSON.stringify(value);
  const other = SPELLINGS.reduce((before, [from, to]) => before.replaceAll(from, to), text);
  return other === text ? value : (JSON.parse(other) as T);
}

interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly Action?: string | readonly string[];
  readonly Resource?: string | readonly string[];
}

type Policies = SimulatedRole["policies"];

/**
 * Statements that say something about a call, of all policies: the simulator reads each for every call. A call on `*` is allowed by a
 * statement on `*` alone; the simulator would be content with a narrower one.
 */
function about(policies: Policies, { action, resource }: Call): Policies {
  const names = ({ Action }: Statement) =>
    Action === undefined ||
    [Action]
      .flat()
      .some((each) => new RegExp(`^${each.replaceAll("*", ".*").replaceAll("?", ".")}$`, "i").test(action));
  const reaches = ({ Effect, Resource }: Statement) =>
    resource !== "*" || Effect === "Deny" || Resource === undefined || [Resource].flat().includes("*");
  const kept = policies.flatMap(({ name, policy }) => {
    const { Statement: all, ...rest } = policy as { readonly Statement: Statement | readonly Statement[] };
    const Statement = [all].flat().filter((each) => names(each) && reaches(each));
    return Statement.length === 0 ? [] : [{ name, policy: { ...rest, Statement } }];
  });
  return spelled(kept);
}

/** Policies that were read already, by action, since many calls ask the same ones. */
const known = new WeakMap<Policies, Map<string, Policies>>();

function readOnce(policies: Policies, asked: Call): Policies {
  const read = known.get(policies) ?? new Map<string, Policies>();
  known.set(policies, read);
  const key = `${asked.action}${asked.resource === "*" ? " on everything" : ""}`;
  const found = read.get(key) ?? about(policies, asked);
  read.set(key, found);
  return found;
}

type Simulation = Parameters<ReturnType<typeof iamSimulate>["runSimulation"]>[0];

/**
 * Decides a call of a principal on a resource of an account, by these policies.
 *
 * @throws Error for a call that AWS does not know
 */
async function decide(
  principal: string,
  { action, resource, context }: Call,
  policies: Omit<Simulation, "request" | "serviceControlPolicies" | "resourceControlPolicies">,
  accountId = ACCOUNT,
): Promise<boolean> {
  const request = { principal, action, resource: { resource, accountId }, contextVariables: context };
  const result = await iamSimulate().runSimulation(
    { request, serviceControlPolicies: [], resourceControlPolicies: [], ...policies },
    {},
  );
  if (result.resultType === "error") throw new Error(`${action}: ${JSON.stringify(result.errors)}`);
  return result.overallResult === "Allowed";
}

/** Decisions by what they depend on: roles of one kind have the same statements. */
const decided = new Map<string, Promise<boolean>>();

/**
 * Decides a call as IAM does, by the policies of its role and its permissions boundary.
 *
 * @throws Error for a call that AWS does not know
 */
export function isAllowed(policies: Policies, asked: Call, boundary?: object): Promise<boolean> {
  const identityPolicies = readOnce(policies, asked);
  const key = JSON.stringify([identityPolicies.map(({ policy }) => policy), asked, boundary]);
  const decision = decided.get(key) ?? decideForRole(identityPolicies, asked, boundary);
  decided.set(key, decision);
  return decision;
}

async function decideForRole(identityPolicies: Policies, asked: Call, boundary?: object): Promise<boolean> {
  const permissionBoundaryPolicies =
    boundary === undefined ? undefined : about([{ name: "boundary", policy: boundary }], asked);
  if (permissionBoundaryPolicies?.length === 0) return false;
  const call = spelled(asked);
  return decide(`arn:aws:sts::${ACCOUNT}:assumed-role/simulated/session`, call, {
    identityPolicies,
    ...(permissionBoundaryPolicies === undefined ? {} : { permissionBoundaryPolicies }),
    ...(call.action.startsWith("kms:") ? { resourcePolicy: LEFT_TO_THE_ACCOUNT } : {}),
  });
}

/** Decides a call of a service as IAM does, by the policy of the resource. @throws Error for a call that AWS does not know */
export function isAllowedByResource(resourcePolicy: object, service: string, call: Call): Promise<boolean> {
  return decide(service, spelled(call), { identityPolicies: [], resourcePolicy: spelled(resourcePolicy) });
}

/** Decides whether a role with this trust policy can be assumed by a token with these claims of an issuer. */
export function trustsToken(trust: object, issuer: string, claims: Readonly<Record<string, string>>): Promise<boolean> {
  const context = Object.fromEntries(Object.entries(claims).map(([claim, value]) => [`${issuer}:${claim}`, value]));
  const call = { action: "sts:AssumeRoleWithWebIdentity", resource: `arn:aws:iam::${ACCOUNT}:role/any`, context };
  return isAllowedByResource(trust, OIDC_PROVIDER, call);
}

/** A caller of another account than the resource. */
export interface RemoteCaller {
  /** ARN of its role. */
  readonly roleArn: string;
  readonly policies: SimulatedRole["policies"];
}

/** Decides a call across accounts as IAM does: the policies of the caller and that of the resource must both allow it. */
export function isAllowedAcross(
  { roleArn, policies }: RemoteCaller,
  { action, resource }: Pick<Call, "action" | "resource">,
  { policy, account }: { readonly policy: object; readonly account: string },
): Promise<boolean> {
  const session = `${roleArn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")}/session`;
  const context = { "aws:PrincipalArn": roleArn, "aws:PrincipalAccount": roleArn.split(":")[4] as string };
  return decide(
    session,
    { action, resource, context },
    { identityPolicies: policies, resourcePolicy: policy },
    account,
  );
}

/** Topics of a program that a key of the program encrypts, with the policies of both. */
export function encryptedTopics(program: Program) {
  const {
    aws_sns_topic: topics = {},
    aws_sns_topic_policy: policies = {},
    aws_kms_key: keys = {},
  } = program.resource ?? {};
  const parsed = (policy: unknown): object => JSON.parse(resolve(program, String(policy)));
  return Object.entries(topics).flatMap(([id, { kms_master_key_id: keyId }]) => {
    const key = keys[/aws_kms_key\.(\w+)\.arn/.exec(String(keyId))?.[1] ?? ""];
    if (key === undefined) return [];
    const policy = Object.values(policies).find(({ arn }) => String(arn).includes(`aws_sns_topic.${id}.`))?.policy;
    return [
      {
        name: nameOf(program, "aws_sns_topic", id),
        arn: resolve(program, `\${aws_sns_topic.${id}.arn}`),
        keyArn: resolve(program, String(keyId)),
        policy: parsed(policy),
        keyPolicy: parsed(key.policy),
      },
    ];
  });
}

/** Buckets of a program with their policies. */
export function bucketPolicies(program: Program) {
  return Object.values(program.resource?.aws_s3_bucket_policy ?? {}).map(({ bucket, policy }) => ({
    name: resolve(program, String(bucket)),
    policy: JSON.parse(resolve(program, String(policy))) as object,
  }));
}
