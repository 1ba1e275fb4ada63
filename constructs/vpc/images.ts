import { Token } from "cdktf";
import type { IConstruct } from "constructs";
import { invalid } from "../core/errors";
import { AwsStack } from "../core/stack";
import type { IVpc } from "./vpc";
import { reachesInternet } from "./vpc-props";

/**
 * An image as a network can pull it: from the environment's registry mirror where there is one, else as it is.
 *
 * @throws InvalidPropsError IMAGE_OUT_OF_REACH when the network has egress "endpoints" and the image is on the internet
 */
export function reachableImage(scope: IConstruct, vpc: IVpc, image: string): string {
  const { environment } = AwsStack.of(scope);
  if (Token.isUnresolved(image) || isPrivate(image, environment.region)) return image;
  const mirror = environment.registryMirror;
  if (mirror !== undefined) return `${mirror}/${image}`;
  if (reachesInternet(vpc.egress)) return image;
  throw invalid(scope, {
    code: "IMAGE_OUT_OF_REACH",
    prop: "image",
    problem: `${image} is on the internet, and the network has egress "endpoints"`,
    remedy: mirroring(image, `<account>.dkr.ecr.${environment.region}.amazonaws.com/mirror`),
  });
}

/**
 * Refuses what needs an address on the internet where the network has no way there.
 *
 * @throws InvalidPropsError INTERNET_OUT_OF_REACH
 */
export function requireInternet(scope: IConstruct, vpc: IVpc, what: string): void {
  if (reachesInternet(vpc.egress)) return;
  throw invalid(scope, {
    code: "INTERNET_OUT_OF_REACH",
    prop: what,
    problem: 'needs the internet, and the network has egress "endpoints"',
    remedy: 'Use egress "nat" or "single-nat", or leave it out.',
  });
}

/** ARN of the repository that an image is in, where that is one of ECR: for the permission to pull it. */
export function repositoryArn(scope: IConstruct, image: string): string | undefined {
  const [, account, region, repository] = ECR_IMAGE.exec(image) ?? [];
  if (repository === undefined) return undefined;
  return `arn:${AwsStack.of(scope).partition}:ecr:${region}:${account}:repository/${repository}`;
}

const ECR_IMAGE = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/([^@:]+)/;

/** Whether an image is in a registry of ECR in the region, which interface endpoints reach. */
function isPrivate(image: string, region: string): boolean {
  return ECR_IMAGE.exec(image)?.[2] === region;
}

/** How to copy an image by digest: the same bytes, so that the digest stays true. */
function mirroring(image: string, mirror: string): string {
  const [name = image, digest = ""] = image.split("@");
  const tag = digest.replace("sha256:", "").slice(0, 12) || "copied";
  return [
    `Copy it once, and name the mirror in environment.registryMirror (${mirror}):`,
    `    aws ecr create-repository --repository-name mirror/${name}`,
    `    skopeo copy --all --preserve-digests docker://${image} docker://${mirror}/${name}:${tag}`,
  ].join("\n");
}
