import { App } from "cdktf";
import { describe, expect, it } from "vitest";
import { DeliveryStack, ImageRepository, type ImageRepositoryProps } from "../../../constructs";
import { only, refusals } from "../../support/synth";

const withImages = (props?: ImageRepositoryProps) => {
  const stack = new DeliveryStack(new App(), "orders", { region: "eu-central-1" });
  new ImageRepository(stack, "Images", props);
  return stack;
};

describe("ImageRepository", () => {
  it("is named after its stack, keeps tags where they are and scans what comes in", () => {
    expect(only(withImages(), "aws_ecr_repository")).toMatchObject({
      name: "orders",
      image_tag_mutability: "IMMUTABLE",
      image_scanning_configuration: { scan_on_push: true },
    });
  });

  it("keeps the newest images, as many as told", () => {
    const { policy } = only(withImages({ keep: 20 }), "aws_ecr_lifecycle_policy");
    expect(policy).toMatchObject({ rules: [{ selection: { countNumber: 20, tagStatus: "any" } }] });
  });

  it.each([
    [{ name: "Orders" }, "REPOSITORY_NAME name"],
    [{ name: "a" }, "REPOSITORY_NAME name"],
    [{ name: "a//b" }, "REPOSITORY_NAME name"],
    [{ keep: 9 }, "REPOSITORY_KEEP keep"],
    [{ keep: 10_001 }, "REPOSITORY_KEEP keep"],
    [{ keep: 12.5 }, "REPOSITORY_KEEP keep"],
  ])("refuses %j", (props, refusal) => {
    expect(refusals(() => withImages(props))).toEqual([refusal]);
  });
});
