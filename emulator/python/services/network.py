"""EC2: descriptions of rules between security groups, interfaces of NAT gateways, tags of launch templates."""

from __future__ import annotations

from typing import Any

from call import Call
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.models.subnets import Subnet
from moto.ec2.utils import parse_user_data
from state import Store

_descriptions = Store()


def remember_descriptions(call: Call, result: dict[str, Any]) -> None:
    """Moto keeps the description of a rule for an address range, and drops that of a rule for a group."""
    pairs = [pair for permission in call.params.get("IpPermissions", []) for pair in permission.get("UserIdGroupPairs", [])]
    rules = [rule for rule in result.get("SecurityGroupRules", []) if rule.get("ReferencedGroupInfo")]
    for rule in rules:
        group = rule["ReferencedGroupInfo"].get("GroupId")
        for pair in pairs:
            if pair.get("GroupId") == group and "Description" in pair:
                _descriptions.of(call.region)[rule["SecurityGroupRuleId"]] = pair["Description"]
    amend_rules(call, result)


def remember_changes(call: Call, result: dict[str, Any]) -> None:
    for change in call.params.get("SecurityGroupRules", []):
        description = change.get("SecurityGroupRule", {}).get("Description")
        if description is not None:
            _descriptions.of(call.region)[change["SecurityGroupRuleId"]] = description


def amend_rules(call: Call, result: dict[str, Any]) -> None:
    for rule in result.get("SecurityGroupRules", []):
        description = _descriptions.of(call.region).get(rule["SecurityGroupRuleId"])
        if description is not None:
            rule["Description"] = description


def delete_nat_interfaces() -> None:
    """Moto keeps the network interface of a NAT gateway when it deletes the gateway."""
    from moto.ec2.models.nat_gateways import NatGatewayBackend

    delete = NatGatewayBackend.delete_nat_gateway

    def with_interface(self: Any, nat_gateway_id: str) -> Any:
        gateway = delete(self, nat_gateway_id)
        self.enis.pop(gateway._eni.id, None)
        return gateway

    NatGatewayBackend.delete_nat_gateway = with_interface


def route_by_changed_endpoints() -> None:
    """ModifyVpcEndpoint: moto adds and removes route tables without their routes, and then cannot delete the endpoint."""
    from moto.ec2.models.vpcs import VPCBackend

    modify = VPCBackend.modify_vpc_endpoint

    def patched(self: Any, vpc_id: str, *args: Any, **kwargs: Any) -> None:
        endpoint = self.describe_vpc_endpoints(vpc_end_point_ids=[vpc_id])[0]
        before = set(endpoint.route_table_ids or [])
        modify(self, vpc_id, *args, **kwargs)
        after, prefix_list = set(endpoint.route_table_ids or []), endpoint.destination_prefix_list_id
        for table in after - before if prefix_list else []:
            self.create_route(table, None, gateway_id=vpc_id, destination_prefix_list_id=prefix_list)
        for table in before - after if prefix_list else []:
            self.delete_route(table, prefix_list)

    VPCBackend.modify_vpc_endpoint = patched  # type: ignore[method-assign]


def amend_launch_templates(call: Call, result: dict[str, Any]) -> None:
    """DescribeLaunchTemplateVersions: moto lists the template's own tags among those of its instances."""
    for version in result.get("LaunchTemplateVersions", []):
        tagged = version.get("LaunchTemplateData", {}).get("TagSpecifications", [])
        tagged[:] = [each for each in tagged if each.get("ResourceType") != "launch-template"]


def parse_user_data_of_versions() -> None:
    """CreateLaunchTemplateVersion: moto parses the user data of a template's first version only, and cannot start instances of others."""
    create = LaunchTemplate.create_version

    def patched(self: LaunchTemplate, data: dict[str, Any], description: str) -> LaunchTemplateVersion:
        if isinstance(data.get("UserData"), str):
            data["UserData"] = parse_user_data(data["UserData"])
        return create(self, data, description)

    LaunchTemplate.create_version = patched  # type: ignore[method-assign]


def know_ipv6_subnets() -> None:
    """Moto cannot find a subnet by the association of its IPv6 range, and returns a wrong state of the association."""
    get_filter_value = Subnet.get_filter_value

    def by_association(self: Subnet, filter_name: str, method_name: str | None = None) -> Any:
        if filter_name == "ipv6-cidr-block-association.association-id":
            return list(self.ipv6_cidr_block_associations)
        return get_filter_value(self, filter_name, method_name)

    def associations(self: Subnet) -> list[dict[str, Any]]:
        return [
            {
                "ipv6CidrBlock": each["ipv6CidrBlock"],
                "associationId": each["associationId"],
                "ipv6CidrBlockState": {"state": each["ipv6CidrBlockState"]["State"]},
            }
            for each in self.ipv6_cidr_block_associations.values()
            if each["ipv6CidrBlockState"]["State"] == "associated"
        ]

    Subnet.get_filter_value = by_association  # type: ignore[method-assign]
    Subnet.ipv6_cidr_block_association_set = property(associations)  # type: ignore[assignment]


def zones_begin_as_in_aws() -> None:
    """Moto's zone ids are random; AWS's begin with Z."""
    from moto.route53 import models

    draw = models.create_route53_zone_id
    models.create_route53_zone_id = lambda **known: "Z" + draw(**known)[1:]
