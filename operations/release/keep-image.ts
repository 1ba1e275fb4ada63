import { releasedTag } from "../../contract/images";
import { OperationError } from "../command";

const IN_ECR = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/([^@]+)@(sha256:[0-9a-f]{64})$/;

/**
 * Marks an image in ECR as released, before anything is started from it: its repository then never expires it, so that
 * tasks can be started from it for as long as the release, or a way back to it, is wanted. Once more does no harm.
 *
 * @param uri `registry/name@sha256:...`; images of other registries are left as they are
 */
export async function keepImage(uri: string): Promise<void> {
  const [, registryId, region, repositoryName, imageDigest] = IN_ECR.exec(uri) ?? [];
  if (registryId === undefined || imageDigest === undefined) return;
  const { BatchGetImageCommand, ECRClient, PutImageCommand } = await loadEcr();
  const client = new ECRClient({ region });
  try {
    const repository = { registryId, repositoryName };
    const { images = [] } = await client.send(new BatchGetImageCommand({ ...repository, imageIds: [{ imageDigest }] }));
    const [image] = images;
    if (image?.imageManifest === undefined) throw new OperationError(`${uri} is not there: push it first`, 1);
    await client.send(
      new PutImageCommand({
        ...repository,
        imageManifest: image.imageManifest,
        imageManifestMediaType: image.imageManifestMediaType,
        imageDigest,
        imageTag: releasedTag(imageDigest),
      }),
    );
  } catch (error) {
    // Tags never move, and this one is of this digest: it was released before.
    if (/^Image(Tag)?AlreadyExistsException$/.test((error as Error).name)) return;
    if (error instanceof OperationError) throw error;
    throw new OperationError(`${uri} cannot be kept from expiring: ${(error as Error).message}`, 1);
  } finally {
    client.destroy();
  }
}

async function loadEcr() {
  try {
    return await import("@aws-sdk/client-ecr");
  } catch {
    throw new OperationError("the AWS SDK is missing: npm install --save-dev @aws-sdk/client-ecr", 1);
  }
}
