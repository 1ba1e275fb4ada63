import { TerraformStack } from "cdktf";
import { describe, expect, it } from "vitest";
import { PROFILES, type Profile } from "../../constructs";
import { KEY_USES } from "../../constructs/pipeline/environment-limits";
import { ELSEWHERE, TERRAFORM_ACTIONS } from "../../constructs/pipeline/terraform-actions";
import { synthesize } from "../../constructs/testing";
import { everything } from "./support/everything";

type Values = Readonly<Record<string, unknown>>;

/** Resource, with the address that identifies it in a finding. */
interface Resource {
  readonly address: string;
  readonly type: string;
  readonly values: Values;
}

function resourcesOf(program: object): Resource[] {
  const { resource = {} } = program as {
    readonly resource?: Readonly<Record<string, Readonly<Record<string, Values>>>>;
  };
  return Object.entries(resource).flatMap(([type, byId]) =>
    Object.entries(byId).map(([id, values]) => ({ address: `${type}.${id}`, type, values })),
  );
}

interface Statement {
  readonly Effect?: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: { readonly StringEquals?: Readonly<Record<string, unknown>> };
}

const list = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T]);

/** Actions that AWS knows no resource for. */
const WITHOUT_RESOURCE = new Set([
  "ecr:GetAuthorizationToken",
  ...["GetSamplingRules", "GetSamplingTargets", "PutTelemetryRecords", "PutTraceSegments"].map(
    (action) => `xray:${action}`,
  ),
  // Shells in tasks, where asked for.
  "logs:DescribeLogGroups",
  ...["CreateControl", "CreateData", "OpenControl", "OpenData"].map((channel) => `ssmmessages:${channel}Channel`),
  // Experiments. Instances that an agent registers have no ARN yet: they must have the service's tags. Tasks are listed by cluster.
  ...["CreateActivation", "DeleteActivation", "AddTagsToResource", "ListCommands", "CancelCommand"].map(
    (of) => `ssm:${of}`,
  ),
  ...["CreateLogDelivery", "DescribeResourcePolicies", "PutResourcePolicy"].map((of) => `logs:${of}`),
  ...["cloudwatch:GetMetricWidgetImage", "tag:GetResources", "ecs:ListTasks"],
  ...["ec2:DescribeInstances", "ec2:DescribeSubnets"],
  // Composite alarms are returned only to callers whose permission is scoped to *.
  "cloudwatch:DescribeAlarms",
  // A function in a network: Lambda asks whether its role has these on everything.
  ...["CreateNetworkInterface", "DeleteNetworkInterface", "DescribeNetworkInterfaces"].map((of) => `ec2:${of}`),
  ...["ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"],
]);

/**
 * Actions of Terraform in the roles of a pipeline: it creates resources that have no ARN yet. Each action is in a list, limited by the
 * region, but for services that are asked elsewhere.
 */
const isTerraforms = (type: string, { Action, Condition }: Statement) =>
  type === "aws_iam_policy" &&
  list(Action).every((action) => {
    const [service = "", name = ""] = action.split(":");
    const { read, write } = TERRAFORM_ACTIONS[service] ?? { read: [], write: [] };
    // Keys are used by the services that store data, in the name of who creates a database, a cache or a table.
    const isUse = (KEY_USES as readonly string[]).includes(action) && Condition?.StringEquals?.["kms:ViaService"];
    const known = read.includes(name) || write.includes(name) || isUse;
    return known && (ELSEWHERE.includes(service) || Condition?.StringEquals?.["aws:RequestedRegion"] !== undefined);
  });

/** Installs what it needs as root; it is there only where an experiment asks for faults inside of tasks. */
const FAULT_AGENT = "fault-agent";

/** People are let into its tasks, where asked for, by an agent that writes. */
const WRITES_TO_ROOT = ["mailer"];

/** Security rules for every environment: each returns the problem with a resource, or nothing. */
const RULES: Readonly<Record<string, (type: string, values: Values, profile: Profile) => readonly string[]>> = {
  "no role may do everything, or something to everything": (type, values) => {
    if (type !== "aws_iam_role_policy" && type !== "aws_iam_policy") return [];
    const { Statement: statements } = values.policy as { readonly Statement: readonly Statement[] };
    const allowed = statements.filter(({ Effect }) => Effect !== "Deny");
    return allowed.flatMap((statement) => [
      ...list(statement.Action)
        .filter((action) => action.includes("*"))
        .map((action) => `allows ${action}`),
      ...(list(statement.Resource).includes("*") && !isTerraforms(type, statement)
        ? list(statement.Action).filter((action) => !WITHOUT_RESOURCE.has(action))
        : []
      ).map((action) => `allows ${action} on everything`),
    ]);
  },
  "the internet reaches listeners only": (type, values) => {
    if (type === "aws_security_group") return ["ingress" in values ? "has rules of its own" : ""].filter(Boolean);
    if (type !== "aws_vpc_security_group_ingress_rule") return [];
    const open = values.cidr_ipv4 === "0.0.0.0/0" || values.cidr_ipv6 === "::/0";
    return open && ![80, 443].includes(values.from_port as number) ? [`opens ${values.from_port} to the internet`] : [];
  },
  "machines and tasks have no public address": (type, values) => {
    const {
      map_public_ip_on_launch: subnet,
      network_interfaces: interfaces = [],
      network_configuration: tasks,
    } = values as {
      readonly map_public_ip_on_launch?: boolean;
      readonly network_interfaces?: readonly { readonly associate_public_ip_address?: unknown }[];
      readonly network_configuration?: { readonly assign_public_ip?: boolean };
    };
    const instances =
      type === "aws_launch_template" && interfaces.some((each) => `${each.associate_public_ip_address}` !== "false");
    return subnet === true || instances || tasks?.assign_public_ip === true ? ["gives public addresses"] : [];
  },
  "logs end": (type, values) =>
    type === "aws_cloudwatch_log_group" && !((values.retention_in_days as number) > 0) ? ["keeps lines for ever"] : [],
  "logs have a key of their own in strict": (type, values, profile) =>
    type === "aws_cloudwatch_log_group" && profile === "strict" && values.kms_key_id === undefined
      ? ["is encrypted with a key of AWS"]
      : [],
  "containers are not root, and write nothing to their root": (type, values) => {
    if (type !== "aws_ecs_task_definition") return [];
    const containers = values.container_definitions as readonly Values[];
    return containers
      .filter(({ name }) => name !== FAULT_AGENT)
      .flatMap((container) => [
        ...(/^(0|root)?(:|$)/.test(`${container.user ?? ""}`) ? [`${container.name} is root`] : []),
        ...(container.readonlyRootFilesystem === true || WRITES_TO_ROOT.includes(`${container.name}`)
          ? []
          : [`${container.name} may write to its root`]),
        ...(container.privileged === true ? [`${container.name} is privileged`] : []),
        ...(container.logConfiguration === undefined ? [`${container.name} has no log`] : []),
      ]);
  },
  "disks are encrypted, and credentials of machines need a session": (type, values) => {
    if (type !== "aws_launch_template") return [];
    const { block_device_mappings: disks = [], metadata_options: metadata } = values as {
      readonly block_device_mappings?: readonly { readonly ebs?: { readonly encrypted?: unknown } }[];
      readonly metadata_options?: { readonly http_tokens?: string };
    };
    return [
      ...(disks.length > 0 && disks.every(({ ebs }) => `${ebs?.encrypted}` === "true")
        ? []
        : ["has a disk that is not encrypted"]),
      ...(metadata?.http_tokens === "required" ? [] : ["gives credentials without a session (IMDSv1)"]),
    ];
  },
  "keys rotate": (type, values) =>
    type === "aws_kms_key" && values.enable_key_rotation !== true ? ["never rotates"] : [],
  "images stay what they are": (type, values) =>
    type === "aws_ecr_repository" && values.image_tag_mutability !== "IMMUTABLE" ? ["lets tags move"] : [],
  "listeners ask for TLS 1.2 at least": (type, values) =>
    type === "aws_lb_listener" && values.protocol === "HTTPS" && !/TLS13-1-2/.test(`${values.ssl_policy}`)
      ? ["takes old TLS"]
      : [],
  "people have long passwords and a second factor, and make no accounts": (type, values, profile) => {
    if (type === "aws_cognito_user_pool_client") {
      const { allowed_oauth_flows: flows = [], callback_urls: urls = [] } = values as Record<string, readonly string[]>;
      return [
        ...(flows.join() === "code" ? [] : ["hands tokens out by more than a code"]),
        ...(urls.every((url) => url.startsWith("https://")) ? [] : ["sends people back without TLS"]),
        ...(values.prevent_user_existence_errors === "ENABLED" ? [] : ["tells who has an account"]),
      ];
    }
    if (type !== "aws_cognito_user_pool") return [];
    const { password_policy: passwords, admin_create_user_config: accounts } = values as {
      readonly password_policy?: { readonly minimum_length?: number };
      readonly admin_create_user_config?: { readonly allow_admin_create_user_only?: boolean };
    };
    return [
      ...((passwords?.minimum_length ?? 0) >= 12 ? [] : ["takes short passwords"]),
      ...(values.mfa_configuration === "ON" ? [] : ["wants no second factor"]),
      ...(accounts?.allow_admin_create_user_only === true ? [] : ["lets anybody make an account"]),
      ...(profile !== "dev" && values.deletion_protection !== "ACTIVE" ? ["can be deleted in production"] : []),
      ...(profile === "strict" && values.user_pool_tier !== "PLUS" ? ["judges no sign-ins"] : []),
    ];
  },
  "web ACLs log, and no credentials": (type, values) =>
    type === "aws_wafv2_web_acl_logging_configuration" &&
    !["authorization", "cookie"].every((name) => JSON.stringify(values.redacted_fields ?? []).includes(`"${name}"`))
      ? ["logs credentials"]
      : [],
  "load balancers drop what is malformed, and are protected in production": (type, values, profile) =>
    type === "aws_lb"
      ? [
          ...(values.drop_invalid_header_fields === true ? [] : ["passes invalid headers on"]),
          ...(profile !== "dev" && values.enable_deletion_protection !== true ? ["can be deleted in production"] : []),
        ]
      : [],
};

const findings = (rule: string, resources: readonly Resource[], profile: Profile) =>
  resources.flatMap(({ address, type, values }) =>
    RULES[rule]!(type, values, profile).map((problem) => `${address} ${problem}`),
  );

describe.each(PROFILES)("everything in %s", (profile) => {
  const stacks = everything(profile).node.children.filter(
    (child): child is TerraformStack => child instanceof TerraformStack,
  );
  const resources = stacks.flatMap((stack) => resourcesOf(synthesize(stack)));

  it.each(Object.keys(RULES))("%s", (rule) => {
    expect(findings(rule, resources, profile)).toEqual([]);
  });

  it("covers each rule", () => {
    const types = new Set(resources.map(({ type }) => type));
    expect([...types]).toEqual(
      expect.arrayContaining([
        "aws_iam_role_policy",
        "aws_vpc_security_group_ingress_rule",
        "aws_launch_template",
        "aws_ecs_service",
        "aws_ecs_task_definition",
        "aws_cloudwatch_log_group",
        "aws_kms_key",
        "aws_ecr_repository",
        "aws_lb",
        "aws_lb_listener",
        "aws_cognito_user_pool",
        "aws_cognito_user_pool_client",
        "aws_wafv2_web_acl_logging_configuration",
      ]),
    );
  });
});

describe("each rule", () => {
  const bad: readonly (readonly [type: string, values: Values, problems: number])[] = [
    ["aws_iam_role_policy", { policy: { Statement: [{ Action: ["s3:*", "a:b"], Resource: "*" }] } }, 3],
    ["aws_iam_policy", { policy: { Statement: [{ Action: ["ecs:CreateCluster"], Resource: "*" }] } }, 1],
    ["aws_security_group", { ingress: [] }, 1],
    ["aws_vpc_security_group_ingress_rule", { cidr_ipv4: "0.0.0.0/0", from_port: 22 }, 1],
    ["aws_vpc_security_group_ingress_rule", { cidr_ipv6: "::/0", from_port: 5432 }, 1],
    ["aws_subnet", { map_public_ip_on_launch: true }, 1],
    ["aws_ecs_service", { network_configuration: { assign_public_ip: true } }, 1],
    ["aws_launch_template", { network_interfaces: [{}] }, 3],
    ["aws_cloudwatch_log_group", {}, 2],
    ["aws_ecs_task_definition", { container_definitions: [{ user: "0:0", privileged: true }] }, 4],
    ["aws_ecs_task_definition", { container_definitions: [{ readonlyRootFilesystem: true, logConfiguration: {} }] }, 1],
    ["aws_kms_key", {}, 1],
    ["aws_ecr_repository", { image_tag_mutability: "MUTABLE" }, 1],
    ["aws_lb", { drop_invalid_header_fields: false }, 2],
    ["aws_lb_listener", { protocol: "HTTPS", ssl_policy: "ELBSecurityPolicy-2016-08" }, 1],
    ["aws_cognito_user_pool", { password_policy: { minimum_length: 8 }, mfa_configuration: "OPTIONAL" }, 5],
    ["aws_cognito_user_pool_client", { allowed_oauth_flows: ["code", "implicit"], callback_urls: ["http://a"] }, 3],
    ["aws_wafv2_web_acl_logging_configuration", { redacted_fields: [{ single_header: { name: "cookie" } }] }, 1],
  ];

  it.each(bad)("reports an insecure %s %j", (type, values, problems) => {
    const found = Object.keys(RULES).flatMap((rule) => findings(rule, [{ address: "a", type, values }], "strict"));
    expect(found).toHaveLength(problems);
  });
});
