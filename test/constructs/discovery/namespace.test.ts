import { describe, expect, it } from "vitest";
import { Namespace } from "../../../constructs";
import { only, ordersStack, shop } from "../../support/synth";

describe("Namespace", () => {
  it("is a private zone in the platform's network, named after platform and environment", () => {
    expect(only(shop(), "aws_service_discovery_private_dns_namespace")).toMatchObject({
      name: "shop-dev.internal",
      vpc: expect.stringContaining("aws_vpc."),
    });
  });

  it("of somebody else keeps what it is told as text", () => {
    const namespace = Namespace.fromAttributes(ordersStack(), "Theirs", {
      namespaceArn: "arn:aws:servicediscovery:eu-central-1:123456789012:namespace/ns-1",
      namespaceId: "ns-1",
      namespaceName: '${file("/etc/passwd")}',
    });
    expect(namespace.namespaceName).toBe('$${file("/etc/passwd")}');
  });
});
