"""Refusals of EC2 networking and of Elastic Load Balancing."""

from __future__ import annotations

import re
from typing import Any

from call import Call, backend
from refusals import moto_refuses, refuses
from services.ecs import network_of, running_services

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
    "Invalid value '{name}' for groupName. It must not begin with 'sg-' and may have up to 255 of the characters of a description.",
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


@refuses(
    "ec2-subnet-in-use",
    "ec2",
    "DeleteSubnet",
    "DependencyViolation",
    "The subnet '{subnet}' has dependencies and cannot be deleted.",
    EC2_API + "API_DeleteSubnet.html",
)
def subnet_in_use(call: Call) -> dict[str, Any] | None:
    subnet = call.params["SubnetId"]
    used = [each.id for balancer in backend("elbv2", call.region).load_balancers.values() for each in balancer.subnets]
    used += [subnet for each in running_services(call) for subnet in network_of(each).get("subnets", [])]
    return {"subnet": subnet} if subnet in used else None


def users_of_group(call: Call, group: str) -> list[str]:
    ec2 = call.moto()
    users = [each.id for each in ec2.enis.values() if group in [held.id for held in each.group_set]]
    users += [each.arn for each in backend("elbv2", call.region).load_balancers.values() if group in each.security_groups]
    users += [each.arn for each in running_services(call) if group in network_of(each).get("securityGroups", [])]
    for groups in ec2.groups.values():
        for other in groups.values():
            named = [rule.source_group.get("GroupId") for rule in [*other.ingress_rules, *other.egress_rules]]
            if other.id != group and group in named:
                users.append(other.id)
    return users


Edge = tuple[str, int, int, str]
"""Protocol, first and last port, and peer of a rule. Two rules with one edge are equal, whatever their descriptions."""

PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
PEERS = (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"), ("UserIdGroupPairs", "GroupId"), ("PrefixListIds", "PrefixListId"))


def edge(protocol: Any, first: Any, last: Any, peer: Any) -> Edge:
    named = PROTOCOLS.get(str(protocol), str(protocol))
    return named, -1 if named == "-1" else int(first or 0), -1 if named == "-1" else int(last or 0), str(peer)


def edges(permission: dict[str, Any]) -> list[Edge]:
    """One edge for each peer of a permission of a request."""
    ports = permission.get("IpProtocol"), permission.get("FromPort"), permission.get("ToPort")
    return [edge(*ports, each.get(key)) for field, key in PEERS for each in permission.get(field) or []]


def held_edges(group: Any, egress: bool) -> dict[str, Edge]:
    """Edges of a group's rules, by the rule's id."""
    found = {}
    for rule in group.egress_rules if egress else group.ingress_rules:
        source = rule.ip_range.get("CidrIp") or rule.ip_range.get("CidrIpv6")
        source = source or rule.source_group.get("GroupId") or rule.prefix_list_id
        found[rule.id] = edge(rule.ip_protocol, rule.from_port, rule.to_port, source)
    return found


def group_by_id(call: Call, identifier: Any) -> Any:
    return next((groups[identifier] for groups in call.moto().groups.values() if identifier in groups), None)


@refuses(
    "ec2-duplicate-rule",
    "ec2",
    "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress",
    "InvalidPermission.Duplicate",
    'the specified rule "peer: {peer}, {protocol}, from port: {first}, to port: {last}, ALLOW" already exists',
    EC2_API + "API_AuthorizeSecurityGroupIngress.html",
)
def duplicate_rule(call: Call) -> dict[str, Any] | None:
    group = group_by_id(call, call.params.get("GroupId"))
    taken = set(held_edges(group, call.operation.endswith("Egress")).values()) if group else set()
    for wanted in [each for permission in call.params.get("IpPermissions") or [] for each in edges(permission)]:
        if wanted in taken:
            return shown(wanted)
        taken.add(wanted)
    return None


@refuses(
    "ec2-changed-to-duplicate",
    "ec2",
    "ModifySecurityGroupRules",
    "InvalidPermission.Duplicate",
    'the specified rule "peer: {peer}, {protocol}, from port: {first}, to port: {last}, ALLOW" already exists',
    EC2_API + "API_ModifySecurityGroupRules.html",
)
def changed_to_duplicate(call: Call) -> dict[str, Any] | None:
    group = group_by_id(call, call.params.get("GroupId"))
    for egress in (False, True) if group else ():
        taken = held_edges(group, egress)
        for change in call.params.get("SecurityGroupRules") or []:
            if taken.pop(change["SecurityGroupRuleId"], None) is None:
                continue  # a rule of the other direction
            rule = change.get("SecurityGroupRule") or {}
            peer = next((rule[name] for name in ("CidrIpv4", "CidrIpv6", "ReferencedGroupId", "PrefixListId") if rule.get(name)), None)
            wanted = edge(rule.get("IpProtocol"), rule.get("FromPort"), rule.get("ToPort"), peer)
            if wanted in taken.values():
                return shown(wanted)
            taken[change["SecurityGroupRuleId"]] = wanted
    return None


def shown(wanted: Edge) -> dict[str, Any]:
    protocol, first, last, peer = wanted
    return {"peer": peer, "protocol": protocol.upper(), "first": first, "last": last}


moto_refuses(
    "ec2-rule-quota",
    "ec2",
    "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress",
    "RulesPerSecurityGroupLimitExceeded",
    VPC_QUOTAS,
)

# Load balancers


@refuses(
    "elb-load-balancer-name",
    "elbv2",
    "CreateLoadBalancer",
    "ValidationError",
    "The load balancer name '{name}' is not valid: it must have up to 32 letters, numbers and hyphens, no hyphen at either end, "
    "and must not begin with 'internal-'.",
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
    """Target groups that the call's actions forward to."""
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

moto_refuses("elb-priority-moved", "elbv2", "SetRulePriorities", "PriorityInUse", ELB_API + "API_SetRulePriorities.html")
for operation, name, code in (
    ("CreateSecurityGroup", "ec2-group-exists", "InvalidGroup.Duplicate"),
    ("CreateLaunchTemplate", "ec2-launch-template-exists", "InvalidLaunchTemplateName.AlreadyExistsException"),
):
    moto_refuses(name, "ec2", operation, code, f"{EC2_API}API_{operation}.html")


@refuses(
    "elb-load-balancer-protected",
    "elbv2",
    "DeleteLoadBalancer",
    "OperationNotPermitted",
    "Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
    ELB_API + "API_DeleteLoadBalancer.html",
)
def balancer_protected(call: Call) -> dict[str, Any] | None:
    arn = call.params["LoadBalancerArn"]
    balancer = call.moto().load_balancers.get(arn)
    return {"arn": arn} if balancer and balancer.attrs.get("deletion_protection.enabled") == "true" else None


@refuses(
    "elb-load-balancer-exists",
    "elbv2",
    "CreateLoadBalancer",
    "DuplicateLoadBalancerName",
    "A load balancer with the same name '{name}' exists, but with different settings",
    ELB_API + "API_CreateLoadBalancer.html",
)
def balancer_exists(call: Call) -> dict[str, Any] | None:
    name = call.params["Name"]
    for balancer in call.moto().load_balancers.values():
        held = (set(balancer.security_groups or []), balancer.scheme)
        wanted = (set(call.params.get("SecurityGroups") or []), call.params.get("Scheme", "internet-facing"))
        if balancer.name == name and held != wanted:
            return {"name": name}
    return None


@refuses(
    "elb-listener-exists",
    "elbv2",
    "CreateListener",
    "DuplicateListener",
    "A listener already exists on this port for this load balancer '{arn}'",
    ELB_API + "API_CreateListener.html",
)
def listener_exists(call: Call) -> dict[str, Any] | None:
    """Repeating a call is idempotent; another protocol or action on the same port is not."""
    balancer = balancer_of(call)
    for listener in balancer.listeners.values() if balancer else []:
        held = [action.type for action in listener.default_actions]
        wanted = [action["Type"] for action in actions(call)]
        if str(listener.port) == str(call.params.get("Port")) and (listener.protocol != call.params.get("Protocol") or held != wanted):
            return {"arn": balancer.arn}
    return None


@refuses(
    "acm-certificate-in-use",
    "acm",
    "DeleteCertificate",
    "ResourceInUseException",
    "Certificate {arn} in account is in use.",
    "https://docs.aws.amazon.com/acm/latest/APIReference/API_DeleteCertificate.html",
)
def certificate_in_use(call: Call) -> dict[str, Any] | None:
    arn = call.params["CertificateArn"]
    for balancer in backend("elbv2", call.region).load_balancers.values():
        if any(arn in listener.certificates for listener in balancer.listeners.values()):
            return {"arn": arn}
    return None


@refuses(
    "waf-acl-exists",
    "wafv2",
    "CreateWebACL",
    "WAFDuplicateItemException",
    "AWS WAF couldn't perform the operation because some resource in your request is a duplicate of an existing one.",
    "https://docs.aws.amazon.com/waf/latest/APIReference/API_CreateWebACL.html",
)
def web_acl_exists(call: Call) -> bool:
    kind = "regional" if call.params["Scope"] == "REGIONAL" else "global"
    return any(each.name == call.params["Name"] and f":{kind}/" in each.arn for each in call.moto().wacls.values())
