"""Firehose: a destination in OpenSearch. What is sent is kept in its backup bucket alone."""

from __future__ import annotations

from typing import Any

from call import Call
from state import Store

NAME = "AmazonopensearchserviceDestination"
DEFAULTS = {
    "IndexRotationPeriod": "OneDay",
    "RetryOptions": {"DurationInSeconds": 300},
    "S3BackupMode": "FailedDocumentsOnly",
}

_destinations = Store()


def create_stream(call: Call) -> dict[str, Any] | None:
    params = call.params
    wanted = params.get(f"{NAME}Configuration")
    if wanted is None:
        return None
    arn = call.moto().create_delivery_stream(
        region=call.region,
        delivery_stream_name=params["DeliveryStreamName"],
        delivery_stream_type=params.get("DeliveryStreamType", "DirectPut"),
        kinesis_stream_source_configuration=params.get("KinesisStreamSourceConfiguration"),
        delivery_stream_encryption_configuration_input=params.get("DeliveryStreamEncryptionConfigurationInput"),
        s3_destination_configuration=None,
        extended_s3_destination_configuration=wanted["S3Configuration"],
        redshift_destination_configuration=None,
        elasticsearch_destination_configuration=None,
        splunk_destination_configuration=None,
        http_endpoint_destination_configuration=None,
        snowflake_destination_configuration=None,
        tags=params.get("Tags"),
    )
    _destinations.of(call.region)[params["DeliveryStreamName"]] = {**DEFAULTS, **wanted}
    return {"DeliveryStreamARN": arn}


def update_destination(call: Call) -> dict[str, Any] | None:
    wanted = call.params.get(f"{NAME}Update")
    if wanted is None:
        return None
    change = {**wanted, "S3Configuration": wanted.get("S3Update")} if wanted.get("S3Update") else wanted
    _destinations.of(call.region)[call.params["DeliveryStreamName"]].update(change)
    return {}


def amend_stream(call: Call, result: dict[str, Any]) -> None:
    stream = result["DeliveryStreamDescription"]
    held = _destinations.of(call.region).get(stream["DeliveryStreamName"])
    if held is None:
        return
    described = {name: value for name, value in held.items() if name not in ("S3Configuration", "VpcConfiguration")}
    described["S3DestinationDescription"] = held["S3Configuration"]
    network = held.get("VpcConfiguration")
    if network:
        described["VpcConfigurationDescription"] = {**network, "VpcId": vpc_of(call, network)}
    identifier = stream["Destinations"][0]["DestinationId"]
    stream["Destinations"] = [{"DestinationId": identifier, f"{NAME}Description": described}]


def vpc_of(call: Call, network: dict[str, Any]) -> str:
    subnets = [each for by_id in call.moto("ec2").subnets.values() for each in by_id.values()]
    return next((each.vpc_id for each in subnets if each.id in network["SubnetIds"]), "")
