/**
 * Consequences of changes to the resources that the plan gate protects: of their deletion, of their replacement, and of changes
 * in place that take something away without deleting anything.
 */

import {
  changed,
  disabled,
  elements,
  fewer,
  HARMLESS,
  type HarmfulChange,
  isNumber,
  namesIn,
  type Protection,
  removed,
  turnedOff,
  UNPROTECTED,
} from "./harmful-changes";
import { PROTECTED_DATA } from "./protected-data";
import type { Attributes } from "./terraform-plan";

/** Number of approvals in the stages of a pipeline. */
const approvals = (stages: unknown) => namesIn(JSON.stringify(stages), /"category":"Approval"/g).length;

/** Number of rules of a web ACL that block requests. */
const blocking = (rules: unknown) =>
  elements(rules).filter((rule) => /"(block|none)":\[[^\]]/.test(JSON.stringify(rule))).length;

/** True if the settings of a cluster turn Container Insights on. */
const observes = (settings: unknown) => /"(enabled|enhanced)"/.test(JSON.stringify(settings ?? []));

const signsIn = (actions: unknown) => JSON.stringify(actions ?? []).includes('"authenticate-');

const WITHOUT_SIGN_IN: Omit<HarmfulChange, "path"> = {
  harms: (before, after) => signsIn(before) && !signsIn(after),
  effect: "requests reach the service without a sign-in",
};

const HEALTH_CHECK: Omit<HarmfulChange, "path"> = {
  harms: changed,
  effect:
    "tasks that run are judged by the new health check at once: those that fail it get no requests and are replaced",
  instead: "release a version that passes both checks, then apply",
};
/** A release owns the task definition that runs where Terraform does not change it in the same step. */
const onRunningTask: HarmfulChange["harms"] = (_, port, { before, after }) =>
  isNumber(port) && before.task_definition === after.task_definition;
const SECOND_SERVICE =
  "create a second service with the new port, move its hosts, paths and callers, then remove the first";
const UNREACHED: Omit<HarmfulChange, "path"> = {
  harms: onRunningTask,
  effect: "ECS refuses it, because the task definition that runs has no such container port",
  instead: SECOND_SERVICE,
};
/** Port in the published address of a service. */
function publishedPort(name: unknown, value: unknown): unknown {
  if (!/^\/antifragile\/.*\/services\//.test(String(name))) return undefined;
  try {
    return (JSON.parse(String(value)) as { readonly port?: unknown } | null)?.port;
  } catch {
    return undefined;
  }
}
/** True if the names of a certificate include a host that those of its replacement do not cover. */
function losesHosts(before: Attributes, after: Attributes): boolean {
  const names = [after.domain_name, ...elements(after.subject_alternative_names)];
  return [before.domain_name, ...elements(before.subject_alternative_names)].some(
    (host) => !names.includes(host) && !names.includes(String(host).replace(/^[^.]+/, "*")),
  );
}
const NOT_ROLLED_BACK = "a failed deployment is not rolled back";
const NO_WAY_OUT = "its subnets have no way out: tasks cannot pull images or call AWS";
const isDefaultRoute = ({ destination_cidr_block: v4, destination_ipv6_cidr_block: v6 }: Attributes) =>
  v4 === "0.0.0.0/0" || v6 === "::/0";

/** Protected resource types. */
export const PROTECTED: Readonly<Record<string, Protection>> = {
  aws_ecs_service: {
    what: "service",
    deleted: "all of its tasks stop, and requests fail",
    replaced: "all of its tasks stop before new ones start: an outage of some minutes",
    replacedAfter: "AWS refuses the new one, because both have the same name",
    causes: {
      "deployment_controller.0.type":
        "a service keeps its deployment controller: codeDeploy(...) and the other strategies cannot be exchanged in place",
    },
    changes: [
      { path: "load_balancer.*.container_port", ...UNREACHED },
      { path: "deployment_circuit_breaker.*.rollback", harms: turnedOff, effect: NOT_ROLLED_BACK },
    ],
  },
  aws_ssm_parameter: {
    what: "address of a service",
    changes: [
      {
        path: "insecure_value",
        harms: (before, after, { after: { name } }) => {
          const port = publishedPort(name, after);
          return isNumber(port) && publishedPort(name, before) !== port;
        },
        effect:
          "callers that are deployed from now on use the new port, while the tasks that run listen on the old one",
        instead: SECOND_SERVICE,
      },
    ],
  },
  aws_ecs_cluster: {
    what: "cluster",
    deleted: "every service in it must be deleted first",
    changes: [
      {
        path: "setting",
        harms: (before, after) => observes(before) && !observes(after),
        effect: "AWS stops reporting its number of tasks: workers that scale from zero do not start",
      },
    ],
  },
  aws_ecs_capacity_provider: {
    what: "capacity provider",
    deleted: "no task can be started on its instances",
    changes: [
      {
        path: "auto_scaling_group_provider.*.managed_termination_protection",
        harms: disabled,
        effect: "instances that run tasks are terminated when the group scales in",
      },
    ],
  },
  aws_launch_template: {
    what: "launch template",
    changes: [
      {
        path: "metadata_options.*.http_tokens",
        harms: (before) => before === "required",
        effect: "a request that a task is made to send can read the credentials of its instance",
      },
    ],
  },
  aws_autoscaling_group: {
    what: "group of instances",
    deleted: "its instances are terminated, and what runs on them stops",
    replacedAfter: "its instances are terminated once new ones run: what runs on them is moved",
    changes: [
      {
        path: "max_size",
        harms: (_, after, { before: { desired_capacity: running } }) =>
          isNumber(after) && isNumber(running) && after < running,
        effect: "instances above the new maximum are terminated, and what runs on them stops or is moved",
      },
    ],
  },
  aws_lb: {
    what: "load balancer",
    deleted: "none of its services can be reached",
    replaced: "none of its services can be reached for some minutes, and then only by its new DNS name",
    changes: [
      { path: "enable_deletion_protection", ...UNPROTECTED },
      {
        path: "drop_invalid_header_fields",
        harms: turnedOff,
        effect: "requests with invalid headers, as request smuggling uses, reach the services",
      },
      {
        path: "access_logs.*.enabled",
        harms: turnedOff,
        effect: "its requests are no longer recorded",
      },
      {
        path: "ip_address_type",
        harms: (before, after) => before === "dualstack" && after === "ipv4",
        effect: "clients with IPv6 alone cannot connect",
      },
    ],
  },
  aws_lb_listener: {
    what: "listener",
    deleted: "no service can be reached on its port",
    changes: [
      { path: "port", harms: changed, effect: "no service can be reached on its old port" },
      { path: "protocol", harms: changed, effect: "clients of the old protocol cannot connect" },
      {
        path: "certificate_arn",
        harms: changed,
        effect: "hosts that only the old certificate covers fail the TLS handshake",
        instead: "attach the new certificate beside the old one first",
      },
      {
        path: "ssl_policy",
        harms: changed,
        effect: "clients that know only the versions and ciphers of the old policy fail the TLS handshake",
      },
      { path: "default_action", ...WITHOUT_SIGN_IN },
    ],
  },
  aws_acm_certificate: {
    what: "certificate",
    replaced: "hosts that the new certificate does not cover fail the TLS handshake",
    only: losesHosts,
  },
  aws_lb_listener_certificate: {
    what: "certificate of a listener",
    deleted: "hosts that only this certificate covers fail the TLS handshake",
    replacedAfter: HARMLESS,
  },
  aws_lb_listener_rule: {
    what: "listener rule",
    replaced: "requests for its hosts and paths get the default answer, 404, until the new rule exists",
    replacedAfter: "AWS refuses the new rule where both have the same priority",
    changes: [{ path: "action", ...WITHOUT_SIGN_IN }],
  },
  aws_lb_target_group: {
    what: "target group",
    deleted: "its service gets no requests",
    replaced: "its service gets no requests until its tasks are healthy in the new one",
    replacedAfter:
      "its service is replaced or registered again: some requests fail until tasks are healthy in the new one",
    changes: ["path", "port", "protocol", "matcher"].map((name) => ({
      path: `health_check.*.${name}`,
      ...HEALTH_CHECK,
    })),
  },
  aws_security_group: {
    what: "security group",
    replaced: "AWS does not delete it while something uses it: the apply waits for many minutes and fails",
    replacedAfter: HARMLESS,
  },
  aws_service_discovery_http_namespace: {
    what: "namespace",
    deleted: "services on the platform cannot find each other",
  },
  aws_service_discovery_private_dns_namespace: {
    what: "namespace",
    deleted: "services on the platform cannot find each other",
  },
  aws_service_discovery_service: {
    what: "name",
    deleted: "callers cannot find the service until it is deployed again",
  },
  ...PROTECTED_DATA,
  aws_codeconnections_connection: {
    what: "connection",
    deleted: "pipelines receive no code until a person authorizes a new connection in the console",
  },
  aws_iam_openid_connect_provider: {
    what: "identity provider",
    deleted: "no CI job can sign in to the account until it exists again",
  },
  aws_iam_role: {
    what: "role",
    replaced: "what runs with it loses its permissions at once, until it is started with the new role",
    changes: [
      {
        path: "permissions_boundary",
        harms: removed,
        effect: "nothing limits what its policies may allow: who can change them controls the account",
      },
    ],
  },
  aws_cloudwatch_metric_alarm: {
    what: "alarm",
    changes: [
      { path: "actions_enabled", harms: turnedOff, effect: "it notifies no one, and rolls back and scales nothing" },
      {
        path: "alarm_actions",
        harms: (before, after) => elements(before).length > 0 && elements(after).length === 0,
        effect: "it notifies no one",
      },
    ],
  },
  aws_codedeploy_deployment_group: {
    what: "deployment group",
    changes: [
      {
        path: "auto_rollback_configuration.*.enabled",
        harms: turnedOff,
        effect: NOT_ROLLED_BACK,
      },
    ],
  },
  aws_codepipeline: {
    what: "pipeline",
    changes: [
      {
        path: "stage",
        harms: (before, after) => approvals(after) < approvals(before),
        effect: "releases no longer wait for an approval",
      },
    ],
  },
  aws_scheduler_schedule: {
    what: "schedule",
    deleted: "its job no longer runs",
    replaced: HARMLESS,
    changes: [{ path: "state", harms: disabled, effect: "its job no longer runs" }],
  },
  aws_cloudwatch_event_rule: {
    what: "event rule",
    changes: [{ path: "state", harms: disabled, effect: "what it starts or records no longer happens" }],
  },
  aws_cognito_user_pool: {
    what: "user pool",
    deleted: "all users are lost",
    changes: [
      { path: "deletion_protection", ...UNPROTECTED },
      {
        path: "mfa_configuration",
        harms: (before) => before === "ON",
        effect: "users sign in without a second factor",
      },
      {
        path: "admin_create_user_config.*.allow_admin_create_user_only",
        harms: turnedOff,
        effect: "anyone can create an account",
      },
    ],
  },
  aws_cognito_user_pool_client: {
    what: "client of a user pool",
    deleted: "no user can sign in through it",
    changes: [
      {
        path: "callback_urls",
        harms: (before, after) => fewer(elements(before), elements(after)),
        effect: "users can no longer sign in at the URLs that are gone",
      },
    ],
  },
  aws_cognito_user_pool_domain: { what: "domain of a user pool", deleted: "its sign-in page cannot be reached" },
  aws_wafv2_web_acl: {
    what: "web ACL",
    deleted: "it filters no more requests",
    changes: [
      {
        path: "rule",
        harms: (before, after) => blocking(after) < blocking(before),
        effect: "requests that it blocked reach the services",
      },
    ],
  },
  aws_wafv2_web_acl_association: {
    what: "association of a web ACL",
    deleted: "requests reach the load balancer without a filter",
  },
  aws_wafv2_web_acl_logging_configuration: {
    what: "log of a web ACL",
    deleted: "the requests that it blocks are no longer recorded",
  },
  aws_route53_zone: { what: "zone", deleted: "its DNS names no longer resolve" },
  aws_route53_record: {
    what: "DNS record",
    deleted: "its name no longer resolves",
    only: ({ type }) => type === "A" || type === "AAAA",
  },
  aws_vpc: {
    what: "vpc",
    deleted: "everything in it must be deleted first",
    changes: ["enable_dns_hostnames", "enable_dns_support"].map((path) => ({
      path,
      harms: turnedOff,
      effect: "names of services, databases and endpoints no longer resolve to private addresses",
    })),
  },
  aws_subnet: {
    what: "subnet",
    deleted:
      "AWS does not delete it while tasks, databases or a load balancer have addresses in it: the apply waits and fails",
    causes: { availability_zone: "each subnet keeps its place in zoneNames: add a zone at the end" },
  },
  aws_internet_gateway: { what: "internet gateway", deleted: "nothing in the VPC reaches the internet, or is reached" },
  aws_egress_only_internet_gateway: {
    what: "egress-only internet gateway",
    deleted: "its subnets have no way out over IPv6",
  },
  aws_nat_gateway: {
    what: "NAT gateway",
    deleted: NO_WAY_OUT,
    replaced: "its subnets have no way out for some minutes: tasks cannot pull images or call AWS",
    replacedAfter: "its subnets call out from another address",
  },
  aws_eip: {
    what: "address",
    deleted: "it is released: partners that allow only this address refuse calls from another",
  },
  aws_route: {
    what: "default route",
    deleted: NO_WAY_OUT,
    only: isDefaultRoute,
  },
  aws_route_table_association: { what: "routes of a subnet", deleted: NO_WAY_OUT },
  aws_flow_log: {
    what: "flow log",
    deleted: "connections in its network are no longer recorded",
    replaced: HARMLESS,
  },
  aws_vpc_endpoint: {
    what: "VPC endpoint",
    deleted: "subnets without another way out no longer reach its service",
    replacedAfter: HARMLESS,
    changes: [
      {
        path: "private_dns_enabled",
        harms: turnedOff,
        effect: "names of its service resolve to public addresses, which subnets without another way out do not reach",
      },
    ],
  },
};
