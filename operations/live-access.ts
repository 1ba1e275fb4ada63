import type { ReleaseRecord } from "../contract/release";
import { familyAndRevision } from "./release/task";
import { OPENING, SECURITY_GROUP_RULES } from "./security-group-rules";
import { type Attributes, attributes, isMarked, type ResourceChange, type TerraformPlan } from "./terraform-plan";

/** Access that a plan takes from the tasks of a live release, which has another configuration and still needs it. */
export interface LostAccess {
  readonly address: string;
  readonly type: string;
  readonly action: "delete" | "update";
  /** Name of the service. */
  readonly service: string;
  /** Attributes before the plan. */
  readonly before: Attributes;
  /** Statements that a policy loses; all of its statements if the new ones are known only after the apply. */
  readonly statements: readonly PolicyStatement[];
  /** False if the new statements of a policy are known only after the apply, and perhaps none is lost. */
  readonly certain: boolean;
}

interface PolicyStatement {
  readonly Effect: string;
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: unknown;
}

/** Tasks of a live release. */
interface LiveTasks {
  readonly service: string;
  /** True if the release has the configuration of the plan. */
  readonly isCurrent: boolean;
  /** ARNs of the image repositories, from `repository/` on. */
  readonly repositories: readonly string[];
  readonly roles: readonly unknown[];
  readonly securityGroups: readonly unknown[];
}

/**
 * Access that a plan takes from the tasks of live releases: their rules of security groups, and the permissions of their
 * roles, which they also need to start again. A release that has the configuration of the plan needs no more than that, but
 * for the repository of its image.
 */
export function lostAccess(plan: TerraformPlan): LostAccess[] {
  const changes = plan.resource_changes;
  return liveTasks(changes).flatMap((tasks) => changes.flatMap((each) => lostBy(tasks, each, changes)));
}

function liveTasks(changes: readonly ResourceChange[]): LiveTasks[] {
  return changes.flatMap(({ type, change }) => {
    const { name, insecure_value: value } = attributes(change.before);
    if (type !== "aws_ssm_parameter" || !/^\/antifragile\/.+\/releases\/[^/]+\/record$/.test(String(name))) return [];
    const { live } = parsed<ReleaseRecord>(value) ?? {};
    const repositories = Object.values(live?.images ?? {}).map((image) => image.replace(/^[^/]*\/|@.*$/g, ""));
    return Object.entries(live?.processes ?? {}).flatMap(([service, { task, template }]) => {
      const family = task.replace(/:\d+$/, "");
      // A service that was imported has the name of its task definition, others have the ARN.
      const isOfFamily = (task: unknown) => familyAndRevision(String(task)).startsWith(`${family}:`);
      const definition = changes.find(
        (each) => each.type === "aws_ecs_task_definition" && attributes(each.change.before).family === family,
      );
      const runner = changes.find(
        ({ change: { before } }) =>
          isOfFamily(attributes(before).task_definition) ||
          scheduled(before).some(({ task_definition_arn: arn }) => isOfFamily(arn)),
      );
      if (definition === undefined || runner === undefined) return [];
      // Its tasks stop before anything is taken from them.
      if (runner.change.actions.includes("delete")) return [];
      const { revision, task_role_arn: app, execution_role_arn: start } = attributes(definition.change.before);
      const networks = [runner.change.before, ...scheduled(runner.change.before)].flatMap((each) =>
        blocks(attributes(each).network_configuration),
      );
      return [
        {
          service,
          isCurrent: definition.change.actions.join() === "no-op" && revision === template,
          repositories: repositories.map((each) => `repository/${each}`),
          roles: [app, start].map((arn) => String(arn).replace(/^.*\//, "")),
          securityGroups: networks.flatMap(({ security_groups: groups }) => (Array.isArray(groups) ? groups : [])),
        },
      ];
    });
  });
}

/** ECS parameters of a schedule. */
function scheduled(schedule: unknown): Attributes[] {
  return blocks(attributes(schedule).target).flatMap(({ ecs_parameters: parameters }) => blocks(parameters));
}

function blocks(value: unknown): Attributes[] {
  return Array.isArray(value) ? value.map(attributes) : [];
}

function parsed<T>(text: unknown): T | undefined {
  try {
    return JSON.parse(String(text)) ?? undefined;
  } catch {
    return undefined;
  }
}

function lostBy(
  { service, isCurrent, repositories, roles, securityGroups }: LiveTasks,
  { address, type, change }: ResourceChange,
  changes: readonly ResourceChange[],
): LostAccess[] {
  const before = attributes(change.before);
  const actions = change.actions.join();
  if (actions !== "delete" && actions !== "update") return [];
  const lost = { address, type, action: actions, service, before, statements: [], certain: true } as const;
  if (Object.hasOwn(SECURITY_GROUP_RULES, type)) {
    if (isCurrent || actions === "update") return [];
    // The rules of both ends of a connection from the tasks.
    const end = SECURITY_GROUP_RULES[type] === "out" ? "security_group_id" : "referenced_security_group_id";
    const isOpened = changes.some(
      (each) => each.type === type && each.change.actions.join() === "create" && opensSame(before, each.change),
    );
    return securityGroups.includes(before[end]) && !isOpened ? [lost] : [];
  }
  if (type === "aws_iam_role_policy_attachment") return !isCurrent && roles.includes(before.role) ? [lost] : [];
  if (type !== "aws_iam_role_policy" || !roles.includes(before.role)) return [];
  const certain = !isMarked(change.after_unknown, ["policy"]);
  const kept = certain ? statementsOf(attributes(change.after).policy) : [];
  const statements = statementsOf(before.policy)
    .flatMap((statement) => without(statement, kept))
    .filter(
      ({ Resource }) => !isCurrent || Resource.some((arn) => repositories.some((each) => arn.endsWith(`:${each}`))),
    );
  return statements.length === 0 ? [] : [{ ...lost, statements, certain }];
}

function opensSame(before: Attributes, { after }: ResourceChange["change"]): boolean {
  return ["security_group_id", ...OPENING].every(
    (name) => JSON.stringify(before[name] ?? null) === JSON.stringify(attributes(after)[name] ?? null),
  );
}

function statementsOf(policy: unknown): PolicyStatement[] {
  const list = (value: unknown) => (Array.isArray(value) ? value : [value]).map(String);
  const { Statement = [] } = parsed<{ Statement?: unknown }>(policy) ?? {};
  return blocks(Array.isArray(Statement) ? Statement : [Statement])
    .filter(({ Effect }) => Effect === "Allow")
    .map(({ Effect, Action, Resource, Condition }) => ({
      Effect: String(Effect),
      Action: list(Action),
      Resource: list(Resource),
      ...(Condition === undefined ? {} : { Condition }),
    }));
}

/** Part of a statement that others do not allow. */
function without(statement: PolicyStatement, others: readonly PolicyStatement[]): PolicyStatement[] {
  const same = others.filter(({ Condition }) => JSON.stringify(Condition) === JSON.stringify(statement.Condition));
  const isLost = (action: string, resource: string) =>
    !same.some(({ Action, Resource }) => Action.includes(action) && Resource.includes(resource));
  const Action = statement.Action.filter((action) => statement.Resource.some((each) => isLost(action, each)));
  const Resource = statement.Resource.filter((resource) => statement.Action.some((each) => isLost(each, resource)));
  return Resource.length === 0 ? [] : [{ ...statement, Action, Resource }];
}
