"""Cloud Map: the hosted zone of a private namespace."""

from __future__ import annotations

from typing import Any


def delete_hosted_zones() -> None:
    """Moto makes the hosted zone of a private DNS namespace and keeps it when the namespace goes."""
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
