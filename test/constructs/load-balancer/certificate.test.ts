import { App } from "cdktf";
import { describe, expect, it } from "vitest";
import { CloudNativeService, https, Ingress, Platform, type ServiceStack } from "../../../constructs";
import { DEV, only, resources } from "../../support/synth";

const ZONE = "Z0123456789ABCDEFGHIJ";

function withHosts(...hosts: string[]): ServiceStack {
  const listener = https({ domain: "shop.example.com", zoneId: ZONE });
  const stack = new Platform(new App(), "shop", { environment: DEV, listener }).stack("orders");
  new CloudNativeService(stack, "Orders").add(new Ingress({ hosts, zoneId: ZONE, certificate: true }));
  return stack;
}

describe("the certificate of a service's hosts", () => {
  it("is attached before the old one is detached, so that no host is ever without", () => {
    expect(only(withHosts("a.example.com"), "aws_lb_listener_certificate")).toMatchObject({
      lifecycle: { create_before_destroy: true },
    });
    expect(only(withHosts("a.example.com"), "aws_acm_certificate")).toMatchObject({
      lifecycle: { create_before_destroy: true },
    });
  });

  it("keeps the records of a host when another is added before it", () => {
    const records = (...hosts: string[]) => resources(withHosts(...hosts), "aws_route53_record");
    const [before, after] = [records("b.example.com"), records("a.example.com", "b.example.com")];
    expect(Object.keys(before)).toHaveLength(2);
    expect(after).toMatchObject(before);
    expect(Object.keys(after)).toHaveLength(4);
  });

  it("keeps its validation records when it is replaced, which would be deleted after they are created again", () => {
    const stack = withHosts("a.example.com", "b.example.com");
    const proofs = Object.entries(resources(stack, "aws_route53_record")).filter(([id]) => id.includes("Proof"));
    expect(proofs.map(([, { lifecycle }]) => lifecycle)).toEqual([
      { ignore_changes: ["name", "type", "records"] },
      { ignore_changes: ["name", "type", "records"] },
    ]);
    expect(proofs.map(([, { name }]) => name)).toEqual(
      ["a", "b"].map((host) => expect.stringContaining(`== "${host}.example.com"][0]`)),
    );
  });

  it("has records for hosts whose names differ only in punctuation", () => {
    const stack = withHosts("a-b.example.com", "a.b.example.com", "*.b.example.com");
    const records = Object.values(resources(stack, "aws_route53_record"));
    expect(records).toHaveLength(6);
    expect(new Set(records.map(({ name }) => name)).size).toBe(6);
  });
});
