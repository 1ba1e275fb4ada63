"""Changes that AWS, or a release, makes to what Terraform created. A test asks for one, and expects the next plan to be empty."""

from __future__ import annotations

import copy
import json
import secrets
from collections.abc import Callable
from typing import Any

from call import ACCOUNT, Account
from services import ecs, elasticache

Fields = dict[str, Any]


class UnknownChange(Exception):
    """A change that cannot be simulated, or a thing that does not exist."""


def simulate(account: Account, fields: Fields) -> dict[str, Any]:
    """Make one change; returns what it changed."""
    change = CHANGES.get(fields.get("change", ""))
    if change is None:
        raise UnknownChange(f"change must be one of {', '.join(CHANGES)}")
    return change(account, fields)


def raise_minor_version(account: Account, fields: Fields) -> dict[str, Any]:
    """The automatic minor upgrade of a database instance, a database cluster or a cache."""
    if "cache" in fields:
        held = elasticache.record_of(account, fields["cache"])
        if held is None:
            raise UnknownChange(f"no cache {fields['cache']}")
        major, minor = held["version"].split(".")[:2]
        held["version"] = f"{major}.{int(minor) + 1}.0"
        return {"version": held["version"]}
    name, rds = fields["database"], account.moto("rds")
    database = rds.databases.get(name) or rds.clusters.get(name)
    if database is None:
        raise UnknownChange(f"no database {name}")
    major, _, minor = str(database.engine_version).partition(".")
    database.engine_version = f"{major}.{int(minor or 0) + 1}"
    for member in getattr(database, "members", []):
        member.engine_version = database.engine_version
    return {"version": database.engine_version}


def renew_certificate(account: Account, fields: Fields) -> dict[str, Any]:
    """ACM's managed renewal: another key and other dates under the same ARN."""
    held = account.moto("acm")._certificates.get(fields["arn"])
    if held is None:
        raise UnknownChange(f"no certificate {fields['arn']}")
    names = [option["DomainName"] for option in held.describe()["Certificate"].get("DomainValidationOptions", [])]
    new = type(held).generate_cert(held.common_name, ACCOUNT, account.region, names)
    for attribute in ("cert", "key", "_cert", "_key"):
        setattr(held, attribute, getattr(new, attribute))
    return {"arn": held.arn}


def rotate_secret(account: Account, fields: Fields) -> dict[str, Any]:
    """A rotation: a new current version, with the old one kept as the previous."""
    store = account.moto("secretsmanager")
    identifier = fields["id"]
    if identifier not in store.secrets:
        raise UnknownChange(f"no secret {identifier}")
    value = json.dumps({"username": "master", "password": secrets.token_hex(16)})
    store.put_secret_value(identifier, value, None, secrets.token_hex(16), ["AWSCURRENT"])
    return {"id": identifier}


def release(account: Account, fields: Fields) -> dict[str, Any]:
    """A release: a task definition with another image, written beside Terraform's, that the service runs."""
    cluster, name = fields["cluster"], fields["service"]
    record = ecs.service_of(account, cluster, name)
    store = account.moto("ecs")
    held = store.describe_task_definition(record["taskDefinition"])
    new = copy.deepcopy(held)
    new.revision = max(store.task_definitions[held.family]) + 1
    new.arn = f"{held.arn.rsplit(':', 1)[0]}:{new.revision}"
    new.container_definitions[0]["image"] = fields.get("image", f"{held.container_definitions[0]['image']}-released")
    store.task_definitions[held.family][new.revision] = new
    ecs.move(account, cluster, name, new.arn)
    return {"taskDefinition": new.arn}


CHANGES: dict[str, Callable[[Account, Fields], dict[str, Any]]] = {
    "raise-minor-version": raise_minor_version,
    "renew-certificate": renew_certificate,
    "rotate-secret": rotate_secret,
    "release": release,
}
