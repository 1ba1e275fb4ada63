import { App } from "cdktf";
import { describe, expect, it } from "vitest";
import { DeliveryStack, ImageRepository, type ImageRepositoryProps } from "../../../constructs";
import { releasedTag } from "../../../contract/images";
import { only, refusals } from "../../support/synth";

const withImages = (props?: ImageRepositoryProps) => {
  const stack = new DeliveryStack(new App(), "orders", { region: "eu-central-1" });
  new ImageRepository(stack, "Images", props);
  return stack;
};

describe("ImageRepository", () => {
  it("is named after its stack, has immutable tags and scans on push", () => {
    expect(only(withImages(), "aws_ecr_repository")).toMatchObject({
      name: "orders",
      image_tag_mutability: "IMMUTABLE",
      image_scanning_configuration: { scan_on_push: true },
    });
  });

  it("keeps the configured number of newest images", () => {
    const { policy } = only(withImages({ keep: 20 }), "aws_ecr_lifecycle_policy");
    const { rules } = policy as { rules: { rulePriority: number; selection: object }[] };
    expect(rules.at(-1)).toMatchObject({ rulePriority: 2, selection: { countNumber: 20, tagStatus: "any" } });
  });

  it("never expires a released image: a rule that never fires precedes the one that expires images", () => {
    const { rules } = only(withImages({ keep: 20 }), "aws_ecr_lifecycle_policy").policy as {
      rules: { rulePriority: number; selection: { tagPrefixList?: string[]; countNumber: number } }[];
    };
    const digest = `sha256:${"1b77".repeat(16)}`;
    expect(rules[0]?.rulePriority).toBe(1);
    expect(rules[0]?.selection.tagPrefixList?.every((prefix) => releasedTag(digest).startsWith(prefix))).toBe(true);
    // As many as ECR lets a repository have.
    expect(rules[0]?.selection.countNumber).toBe(100_000);
  });

  it("can be an existing one", () => {
    const stack = new DeliveryStack(new App(), "orders", { region: "eu-central-1", account: "123456789012" });
    const images = ImageRepository.fromRepositoryName(stack, "Images", "shop/orders");
    expect(images.repositoryUrl).toBe("123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/orders");
    expect(images.repositoryArn).toContain(":ecr:eu-central-1:123456789012:repository/shop/orders");
    expect(refusals(() => ImageRepository.fromRepositoryName(stack, "Other", "Orders"))).toEqual([
      "REPOSITORY_NAME name",
    ]);
  });

  it("shares its images with the account of a role only", () => {
    const images = new ImageRepository(new DeliveryStack(new App(), "orders", { region: "eu-central-1" }), "Images");
    const refused = ["*", "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:role/*"];
    for (const arn of refused)
      expect(refusals(() => images.shareWith(arn))).toEqual(["REPOSITORY_ROLE releaseRoleArn"]);
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
