import { describe, expect, it } from "vitest";
import { only, shop } from "../../support/synth";

describe("Namespace", () => {
  it("is a private zone in the platform's network, named after platform and environment", () => {
    expect(only(shop(), "aws_service_discovery_private_dns_namespace")).toMatchObject({
      name: "shop-dev.internal",
      vpc: expect.stringContaining("aws_vpc."),
    });
  });
});
