"""Cloud Map: private namespaces and their hosted zones."""

from __future__ import annotations

from typing import Any


def delete_hosted_zones() -> None:
    """Moto keeps the hosted zone of a private DNS namespace when it deletes the namespace."""
    from moto.route53.models import route53_backends
    from moto.servicediscovery.models import ServiceDiscoveryBackend
    from moto.utilities.utils import get_partition

    delete = ServiceDiscoveryBackend.delete_namespace

    def with_zone(self: Any, namespace_id: str) -> str:
        namespace = self.namespaces.get(namespace_id)
        operation = delete(self, namespace_id)
        zone = (namespace.dns_properties or {}).get("HostedZoneId", "").split("/")[-1]
        route53_backends[self.account_id][get_partition(self.region_name)].zones.pop(zone, None)
        return operation

    ServiceDiscoveryBackend.delete_namespace = with_zone


def allow_namespaces_beside_each_other() -> None:
    """AWS refuses a second namespace in a VPC only when one name contains the other; moto refuses every second one."""
    from moto.servicediscovery.models import ServiceDiscoveryBackend

    create = ServiceDiscoveryBackend.create_private_dns_namespace

    def beside(self: Any, name: str, *args: Any, **kwargs: Any) -> str:
        held = self.namespaces
        within = lambda one, other: one == other or one.endswith(f".{other}")  # noqa: E731
        self.namespaces = {key: each for key, each in held.items() if within(each.name, name) or within(name, each.name)}
        try:
            return create(self, name, *args, **kwargs)
        finally:
            self.namespaces = {**held, **self.namespaces}

    ServiceDiscoveryBackend.create_private_dns_namespace = beside
