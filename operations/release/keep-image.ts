import { releasedTag } from "../../contract/images";
import { UserError } from "../../contract/user-error";
import { AwsClients, awsErrorForUser, isAwsError, loadSdk } from "../aws-sdk";

const IN_ECR = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/([^@]+)@(sha256:[0-9a-f]{64})$/;

/**
 * Marks an image in ECR as released, before anything is started from it: its repository then never expires it, so that
 * tasks can start from it for as long as the release, or a rollback to it, is wanted. Idempotent.
 *
 * @param uri `registry/name@sha256:...`; images of other registries are left as they are
 */
export async function keepImage(uri: string): Promise<void> {
  const [, registryId, region, repositoryName, imageDigest] = IN_ECR.exec(uri) ?? [];
  if (registryId === undefined || imageDigest === undefined) return;
  const { BatchGetImageCommand, ECRClient, PutImageCommand } = await loadSdk(
    "@aws-sdk/client-ecr",
    () => import("@aws-sdk/client-ecr"),
  );
  const clients = new AwsClients({ region });
  const client = clients.get(ECRClient);
  try {
    const repository = { registryId, repositoryName };
    const { images = [] } = await client.send(new BatchGetImageCommand({ ...repository, imageIds: [{ imageDigest }] }));
    const [image] = images;
    if (image?.imageManifest === undefined) throw new UserError(`${uri} does not exist: push it first`, 1);
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
    if (!isAwsError(error)) throw error;
    throw new UserError(`${uri} cannot be kept from expiring: ${(awsErrorForUser(error) as Error).message}`, 1);
  } finally {
    clients.destroy();
  }
}
