"""What EC2's networks and the load balancers refuse."""

from __future__ import annotations

import re
from typing import Any

from call import Call, backend
from refusals import moto_refuses, refuses

EC2_API = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/"
VPC_QUOTAS = "https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html"
ELB_API = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/"
ELB_QUOTAS = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html"

VPCS = 5
ADDRESSES = 5
RULES = 100
TARGET_GROUPS = 100
CONDITION_VALUES = 5
DESCRIPTION = r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}"


@refuses(
    "ec2-vpc-quota",
    "ec2",
    "CreateVpc",
    "VpcLimitExceeded",
    "The maximum number of VPCs has been reached.",
    VPC_QUOTAS,
)
def vpc_quota(call: Call) -> bool:
    return len(call.moto().vpcs) >= VPCS


@refuses(
    "ec2-address-quota",
    "ec2",
    "AllocateAddress",
    "AddressLimitExceeded",
    "The maximum number of addresses has been reached.",
    VPC_QUOTAS,
)
def address_quota(call: Call) -> bool:
    return len(call.moto().addresses) >= ADDRESSES


@refuses(
    "ec2-group-name",
    "ec2",
    "CreateSecurityGroup",
    "InvalidParameterValue",
    "Invalid value '{name}' for groupName. It may not begin with 'sg-', has up to 255 of the characters of a description.",
    EC2_API + "API_CreateSecurityGroup.html",
)
def group_name(call: Call) -> dict[str, Any] | None:
    name = call.params["GroupName"]
    return {"name": name} if name.startswith("sg-") or not re.fullmatch(DESCRIPTION, name) else None


@refuses(
    "ec2-group-description",
    "ec2",
    "CreateSecurityGroup",
    "InvalidParameterValue",
    "Invalid security group description. Valid descriptions are strings less than 256 characters from the following set: "
    "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
    EC2_API + "API_CreateSecurityGroup.html",
)
def group_description(call: Call) -> bool:
    return not re.fullmatch(DESCRIPTION, call.params["Description"])


@refuses(
    "ec2-rule-description",
    "ec2",
    "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress",
    "InvalidParameterValue",
    "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set: "
    "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
    EC2_API + "API_IpRange.html",
)
def rule_description(call: Call) -> bool:
    sources = ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds")
    texts = [
        each.get("Description") or ""
        for permission in call.params.get("IpPermissions") or []
        for source in sources
        for each in permission.get(source) or []
    ]
    return any(not re.fullmatch(DESCRIPTION, text) for text in texts)


@refuses(
    "ec2-group-in-use",
    "ec2",
    "DeleteSecurityGroup",
    "DependencyViolation",
    "resource {group} has a dependent object: {user}",
    EC2_API + "API_DeleteSecurityGroup.html",
)
def group_in_use(call: Call) -> dict[str, Any] | None:
    group = call.params.get("GroupId")
    for user in users_of_group(call, group) if group else []:
        return {"group": group, "user": user}
    return None


def users_of_group(call: Call, group: str) -> list[str]:
    ec2 = call.moto()
    users = [each.id for each in ec2.enis.values() if group in [held.id for held in each.group_set]]
    users += [each.arn for each in backend("elbv2", call.region).load_balancers.values() if group in each.security_groups]
    for service in backend("ecs", call.region).services.values():
        network = (service.network_configuration or {}).get("awsvpcConfiguration") or {}
        if service.status == "ACTIVE" and service.desired_count > 0 and group in network.get("securityGroups", []):
            users.append(service.arn)
    for groups in ec2.groups.values():
        for other in groups.values():
            named = [rule.source_group.get("GroupId") for rule in [*other.ingress_rules, *other.egress_rules]]
            if other.id != group and group in named:
                users.append(other.id)
    return users


moto_refuses(
    "ec2-duplicate-rule",
    "ec2",
    "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress",
    "InvalidPermission.Duplicate",
    EC2_API + "API_AuthorizeSecurityGroupIngress.html",
)
moto_refuses(
    "ec2-rule-quota",
    "ec2",
    "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress",
    "RulesPerSecurityGroupLimitExceeded",
    VPC_QUOTAS,
)

# Load balancers


@refuses(
    "elb-balancer-name",
    "elbv2",
    "CreateLoadBalancer",
    "ValidationError",
    "The load balancer name '{name}' is not valid: up to 32 letters, numbers and hyphens, no hyphen first or last, not "
    "'internal-' first.",
    ELB_API + "API_CreateLoadBalancer.html",
)
def balancer_name(call: Call) -> dict[str, Any] | None:
    name = call.params["Name"]
    fits = re.fullmatch(r"(?!-)[A-Za-z0-9-]{1,32}(?<!-)", name) and not name.startswith("internal-")
    return None if fits else {"name": name}


@refuses(
    "elb-zones",
    "elbv2",
    "CreateLoadBalancer SetSubnets",
    "ValidationError",
    "At least two subnets in two different Availability Zones must be specified",
    ELB_API + "API_CreateLoadBalancer.html",
)
def balancer_zones(call: Call) -> bool:
    if call.params.get("Type", "application") != "application":
        return False
    return len(set(zones(call))) < 2


@refuses(
    "elb-zone-twice",
    "elbv2",
    "CreateLoadBalancer SetSubnets",
    "InvalidConfigurationRequest",
    "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
    ELB_API + "API_CreateLoadBalancer.html",
)
def balancer_zone_twice(call: Call) -> bool:
    return len(set(zones(call))) < len(zones(call))


def zones(call: Call) -> list[str]:
    named = call.params.get("Subnets") or [each["SubnetId"] for each in call.params.get("SubnetMappings") or []]
    known = {
        subnet.id: subnet.availability_zone for by_zone in call.moto("ec2").subnets.values() for subnet in by_zone.values()
    }
    return [known[each] for each in named if each in known]


@refuses(
    "elb-rule-priority",
    "elbv2",
    "CreateRule SetRulePriorities",
    "ValidationError",
    "1 validation error detected: Value '{priority}' at 'priority' failed to satisfy constraint: Member must be between 1 "
    "and 50000",
    ELB_API + "API_CreateRule.html",
)
def rule_priority(call: Call) -> dict[str, Any] | None:
    given = [call.params, *(call.params.get("RulePriorities") or [])]
    for priority in (int(each["Priority"]) for each in given if "Priority" in each):
        if not 1 <= priority <= 50000:
            return {"priority": priority}
    return None


@refuses(
    "elb-rule-quota",
    "elbv2",
    "CreateRule",
    "TooManyRules",
    "The maximum number of rules on the load balancer has been reached",
    ELB_QUOTAS,
)
def rule_quota(call: Call) -> bool:
    balancer = balancer_of(call)
    listeners = balancer.listeners.values() if balancer else []
    return sum(len(each.rules) for each in listeners) >= RULES


@refuses(
    "elb-condition-values",
    "elbv2",
    "CreateRule ModifyRule",
    "ValidationError",
    "A rule can only have '5' condition values",
    ELB_QUOTAS,
)
def condition_values(call: Call) -> bool:
    values = []
    for condition in call.params.get("Conditions") or []:
        own = [each.get("Values") or [] for each in condition.values() if isinstance(each, dict)]
        values += [value for listed in own for value in listed] or condition.get("Values") or []
    return len(values) > CONDITION_VALUES


@refuses(
    "elb-target-group-association",
    "elbv2",
    "CreateRule ModifyRule CreateListener ModifyListener",
    "TargetGroupAssociationLimit",
    "The following target groups cannot be associated with more than one load balancer: {arn}",
    ELB_API + "API_CreateRule.html",
)
def target_group_association(call: Call) -> dict[str, Any] | None:
    balancer = balancer_of(call)
    for arn in forwarded(call) if balancer else []:
        group = call.moto().target_groups.get(arn)
        if group and any(other != balancer.arn for other in group.load_balancer_arns):
            return {"arn": arn}
    return None


@refuses(
    "elb-target-group-quota",
    "elbv2",
    "CreateRule ModifyRule CreateListener ModifyListener",
    "TooManyTargetGroups",
    "The maximum number of target groups for the load balancer has been reached",
    ELB_QUOTAS,
)
def target_group_quota(call: Call) -> bool:
    balancer = balancer_of(call)
    if balancer is None:
        return False
    held = {group.arn for group in call.moto().target_groups.values() if balancer.arn in group.load_balancer_arns}
    return len(held | set(forwarded(call))) > TARGET_GROUPS


@refuses(
    "elb-authenticate-over-http",
    "elbv2",
    "CreateRule ModifyRule CreateListener ModifyListener",
    "InvalidLoadBalancerAction",
    "Actions of type '{type}' are supported only on HTTPS listeners",
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html",
)
def authenticate_over_http(call: Call) -> dict[str, Any] | None:
    listener = listener_of(call)
    protocol = call.params.get("Protocol") or (listener.protocol if listener else None)
    for action in actions(call):
        if action["Type"] in ("authenticate-oidc", "authenticate-cognito", "jwt-validation") and protocol != "HTTPS":
            return {"type": action["Type"]}
    return None


@refuses(
    "elb-certificate",
    "elbv2",
    "CreateListener",
    "ValidationError",
    "A certificate must be specified for HTTPS listeners",
    ELB_API + "API_CreateListener.html",
)
def certificate(call: Call) -> bool:
    return call.params.get("Protocol") in ("HTTPS", "TLS") and not call.params.get("Certificates")


def actions(call: Call) -> list[dict[str, Any]]:
    return call.params.get("Actions") or call.params.get("DefaultActions") or []


def forwarded(call: Call) -> list[str]:
    """The target groups that the call's actions forward to."""
    found = []
    for action in actions(call):
        weighted = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
        found += [action["TargetGroupArn"]] if action.get("TargetGroupArn") else []
        found += [each["TargetGroupArn"] for each in weighted]
    return found


def listener_of(call: Call) -> Any:
    wanted = call.params.get("ListenerArn")
    if wanted is None and call.params.get("RuleArn"):
        wanted = call.params["RuleArn"].rsplit("/", 1)[0].replace(":listener-rule/", ":listener/")
    for balancer in call.moto().load_balancers.values():
        if wanted in balancer.listeners:
            return balancer.listeners[wanted]
    return None


def balancer_of(call: Call) -> Any:
    listener = listener_of(call)
    arn = listener.load_balancer_arn if listener else call.params.get("LoadBalancerArn")
    return call.moto().load_balancers.get(arn)


moto_refuses("elb-priority-in-use", "elbv2", "CreateRule", "PriorityInUse", ELB_API + "API_CreateRule.html")
moto_refuses(
    "elb-target-group-name", "elbv2", "CreateTargetGroup", "ValidationError", ELB_API + "API_CreateTargetGroup.html"
)
moto_refuses(
    "elb-duplicate-target-group",
    "elbv2",
    "CreateTargetGroup",
    "DuplicateTargetGroupName",
    ELB_API + "API_CreateTargetGroup.html",
)
moto_refuses(
    "elb-target-group-in-use", "elbv2", "DeleteTargetGroup", "ResourceInUse", ELB_API + "API_DeleteTargetGroup.html"
)
