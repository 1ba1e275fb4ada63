import { AcmCertificate } from "@cdktf/provider-aws/lib/acm-certificate";
import { AcmCertificateValidation } from "@cdktf/provider-aws/lib/acm-certificate-validation";
import { Route53Record } from "@cdktf/provider-aws/lib/route53-record";
import { Construct } from "constructs";

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
 * @see https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
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
    const domains = new Set(props.hosts.map((host) => host.replace(/^\*\./, "")));
    const records = Array.from({ length: domains.size === 1 ? 1 : props.hosts.length }, (_, index) => {
      const rollbackCriteria = certificate.domainValidationOptions.get(index);
      return new Route53Record(this, `Proof${index + 1}`, {
        zoneId: props.zoneId,
        name: rollbackCriteria.resourceRecordName,
        type: rollbackCriteria.resourceRecordType,
        records: [rollbackCriteria.resourceRecordValue],
        ttl: 60,
        allowOverwrite: true,
      });
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
