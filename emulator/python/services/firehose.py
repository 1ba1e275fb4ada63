"""Firehose: OpenSearch destinations, of which only the backup bucket receives data, and the processing of CloudWatch records."""

from __future__ import annotations

import gzip
import re
import uuid
from datetime import datetime, timezone
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


def deliver_processed_records() -> None:
    """Moto writes records of CloudWatch unchanged; AWS decompresses, delimits and compresses them, and expands the prefix.
    Nothing is sent to endpoints outside of the machine."""
    from moto.firehose.models import FirehoseBackend

    write = FirehoseBackend.send_log_event

    def put_s3_records(
        self: Any, delivery_stream_name: str, version_id: str, s3_destination: dict[str, Any], records: list[dict[str, Any]]
    ) -> list[dict[str, str]]:
        from moto.s3.models import s3_backends

        destination = next(iter(self.delivery_streams[delivery_stream_name].destinations), {})
        settings = destination.get("ExtendedS3") or s3_destination
        data = b"".join(_processed(record["Data"], settings) for record in records)
        packed = settings.get("CompressionFormat") == "GZIP"
        now = datetime.now(timezone.utc)
        prefix = _expanded(settings.get("Prefix") or "!{timestamp:yyyy/MM/dd/HH}/", now)
        key = f"{prefix}{delivery_stream_name}-{version_id}-{now:%Y-%m-%d-%H-%M-%S}-{uuid.uuid4()}{'.gz' if packed else ''}"
        bucket = settings["BucketARN"].split(":")[-1]
        s3_backends[self.account_id][self.partition].put_object(bucket, key, gzip.compress(data) if packed else data)
        return [{"RecordId": str(uuid.uuid4())} for _ in records]

    def send_log_event(self: Any, delivery_stream_arn: str, *rest: Any) -> None:
        stream = self.lookup_name_from_arn(delivery_stream_arn)
        if stream is not None and {"S3", "ExtendedS3"} & set(stream.destinations[0]):
            write(self, delivery_stream_arn, *rest)

    FirehoseBackend.put_s3_records = put_s3_records
    FirehoseBackend.put_http_records = staticmethod(lambda _, records: [{"RecordId": str(uuid.uuid4())} for _ in records])
    FirehoseBackend.send_log_event = send_log_event


def _processed(data: bytes, settings: dict[str, Any]) -> bytes:
    processing = settings.get("ProcessingConfiguration") or {}
    if not processing.get("Enabled"):
        return data
    for processor in processing.get("Processors", []):
        if processor["Type"] == "Decompression":
            data = gzip.decompress(data)
        if processor["Type"] == "AppendDelimiterToRecord":
            data += b"\n"
    return data


def _expanded(prefix: str, now: datetime) -> str:
    words = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H"}
    return re.sub(
        r"!{timestamp:([^}]*)}",
        lambda found: now.strftime(re.sub("|".join(words), lambda word: words[word[0]], found[1])),
        prefix,
    )
