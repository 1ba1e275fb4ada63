import { AcmCertificate } from "@cdktf/provider-aws/lib/acm-certificate";
import { AcmCertificateValidation } from "@cdktf/provider-aws/lib/acm-certificate-validation";
import { Route53Record } from "@cdktf/provider-aws/lib/route53-record";
import { Construct } from "constructs";
import { keyedId } from "../core/names";
import { movedFrom } from "../core/renamed";
import { addressOf } from "../core/stack";

export const HOST_PATTERN = /^(?=.{1,128}$)(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*$/;
export const HOST_RULE =
  "lowercase letters, digits and hyphens, joined by dots, as in orders.example.com or *.example.com";
export const ZONE_ID_PATTERN = /^Z[A-Z0-9]{1,31}$/;

export interface CertificateProps {
  /** Host names of the certificate, the primary one first. */
  readonly hosts: readonly string[];
  /** Id of the Route 53 hosted zone of the hosts, in which the validation records are created. */
  readonly zoneId: string;
}

/**
 * An ACM certificate for HTTPS, which AWS renews automatically. Free.
 *
 * A change of the hosts creates another certificate. Its validation record of a host stays the same, because ACM derives it
 * from the domain and the account, so no record is replaced: Terraform would delete it after the new certificate is validated,
 * and the certificate could not be renewed.
 *
 * @see https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
 * @see https://github.com/hashicorp/terraform-provider-aws/issues/32460
 */
export class Certificate extends Construct {
  /** ARN of the certificate, once AWS has validated it. */
  readonly certificateArn: string;

  constructor(scope: Construct, id: string, props: CertificateProps) {
    super(scope, id);
    const [domainName = "", ...others] = props.hosts;
    const certificate = new AcmCertificate(this, "Resource", {
      domainName,
      subjectAlternativeNames: others,
      validationMethod: "DNS",
      // A listener uses the old certificate until it has the new one.
      lifecycle: { createBeforeDestroy: true },
    });
    // `example.com` and `*.example.com` share one validation record.
    const domains = [...new Set(props.hosts.map((host) => host.replace(/^\*\./, "")))];
    const records = domains.map((domain, index) => {
      // The options are a set, whose order changes with the hosts.
      const option = (attribute: string) =>
        `\${[for option in ${addressOf(certificate)}.domain_validation_options : option.${attribute} if trimprefix(option.domain_name, "*.") == "${domain}"][0]}`;
      const record = new Route53Record(this, keyedId(this, "Proof", domain), {
        zoneId: props.zoneId,
        name: option("resource_record_name"),
        type: option("resource_record_type"),
        records: [option("resource_record_value")],
        ttl: 60,
        allowOverwrite: true,
        lifecycle: { ignoreChanges: ["name", "type", "records"] },
      });
      // Up to 0.0.1 the ids were numbers. Any of these records can become any other: Terraform ignores what differs.
      movedFrom(record, `Proof${index + 1}`);
      return record;
    });
    this.certificateArn = new AcmCertificateValidation(this, "Validation", {
      certificateArn: certificate.arn,
      validationRecordFqdns: records.map((record) => record.fqdn),
    }).certificateArn;
  }
}

/** Creates alias records that point a host name to a load balancer. Costs nothing but its hosted zone. */
export function aliasRecord(
  scope: Construct,
  id: string,
  props: {
    readonly zoneId: string;
    readonly host: string;
    readonly loadBalancer: { readonly dnsName: string; readonly dnsZoneId: string };
  },
): Route53Record {
  return new Route53Record(scope, id, {
    zoneId: props.zoneId,
    name: props.host,
    type: "A",
    alias: { name: props.loadBalancer.dnsName, zoneId: props.loadBalancer.dnsZoneId, evaluateTargetHealth: true },
  });
}
