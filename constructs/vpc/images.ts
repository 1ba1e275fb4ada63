import type { IConstruct } from "constructs";
import { invalid } from "../core/errors";
import { isReference } from "../core/reference";
import { AwsStack } from "../core/stack";
import type { IVpc } from "./vpc";
import { reachesInternet } from "./vpc-props";

/**
 * Returns the reference to pull an image by: from the environment's registry mirror if there is one, otherwise unchanged.
 *
 * @throws InvalidPropsError IMAGE_OUT_OF_REACH when the VPC has egress "endpoints" and the image is on the internet
 */
export function reachableImage(scope: IConstruct, vpc: IVpc, image: string): string {
  const { environment } = AwsStack.of(scope);
  if (isReference(image) || isPrivate(image, environment.region)) return image;
  const mirror = environment.registryMirror;
  if (mirror !== undefined) return `${mirror}/${image}`;
  if (reachesInternet(vpc.egress)) return image;
  throw invalid(scope, {
    code: "IMAGE_OUT_OF_REACH",
    prop: "image",
    problem: `${image} is on the internet, which a VPC with egress "endpoints" cannot reach`,
    remedy: mirroring(image, `<account>.dkr.ecr.${environment.region}.amazonaws.com/mirror`),
  });
}

/**
 * Refuses features that need the internet in a VPC that cannot reach it.
 *
 * @throws InvalidPropsError INTERNET_OUT_OF_REACH
 */
export function requireInternet(scope: IConstruct, vpc: IVpc, what: string): void {
  if (reachesInternet(vpc.egress)) return;
  throw invalid(scope, {
    code: "INTERNET_OUT_OF_REACH",
    prop: what,
    problem: 'needs the internet, which a VPC with egress "endpoints" cannot reach',
    remedy: 'Use egress "nat" or "single-nat", or remove the prop.',
  });
}

/** ARN of the ECR repository of an image, for the permission to pull it; undefined for images outside ECR. */
export function repositoryArn(scope: IConstruct, image: string): string | undefined {
  const [, account, region, repository] = ECR_IMAGE.exec(image) ?? [];
  if (repository === undefined) return undefined;
  return `arn:${AwsStack.of(scope).partition}:ecr:${region}:${account}:repository/${repository}`;
}

const ECR_IMAGE = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/([^@:]+)/;

/** Returns true for images in ECR in the same region, which interface endpoints reach. */
function isPrivate(image: string, region: string): boolean {
  return ECR_IMAGE.exec(image)?.[2] === region;
}

/** Instructions to copy an image to a mirror. The copy keeps its digest. */
function mirroring(image: string, mirror: string): string {
  const [name = image, digest = ""] = image.split("@");
  const tag = digest.replace("sha256:", "").slice(0, 12) || "copied";
  return [
    `Copy the image once and set environment.registryMirror to the mirror (${mirror}):`,
    `    aws ecr create-repository --repository-name mirror/${name}`,
    `    skopeo copy --all --preserve-digests docker://${image} docker://${mirror}/${name}:${tag}`,
  ].join("\n");
}
