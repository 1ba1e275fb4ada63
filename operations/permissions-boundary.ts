import { isDeepStrictEqual } from "node:util";
import { type BoundaryPlace, boundaryArn, boundaryDocument } from "../contract/boundary";
import { type AwsClients, loadSdk } from "./aws-sdk";
import { type Change, found } from "./state-bucket";

/** A permissions boundary, with the region of the stack that names it. */
export interface Boundary extends BoundaryPlace {
  readonly region: string;
}

/** Maximum number of versions of a policy. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const VERSIONS = 5;

/** Properties of the policy, besides its document. */
export function boundaryPolicy(boundary: BoundaryPlace) {
  return {
    name: boundaryArn(boundary).replace(/^.*\//, ""),
    description: `The most that a role of ${boundary.environment} may do. Created by antifragile bootstrap.`,
    tags: { Environment: boundary.environment, ManagedBy: "antifragile" },
  };
}

/** Finds what must change in the policy that is a permissions boundary, or in its absence. */
export async function boundaryChanges(clients: AwsClients, boundary: Boundary): Promise<Change[]> {
  const iam = await loadSdk("@aws-sdk/client-iam", () => import("@aws-sdk/client-iam"));
  const client = clients.get(iam.IAMClient);
  const PolicyArn = boundaryArn(boundary);
  const PolicyDocument = boundaryDocument(boundary);
  const policy = (await found(client.send(new iam.GetPolicyCommand({ PolicyArn }))))?.Policy;
  if (policy === undefined) {
    const { name, description, tags } = boundaryPolicy(boundary);
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const create = { PolicyName: name, Description: description, PolicyDocument, Tags };
    return [{ result: "made", make: () => client.send(new iam.CreatePolicyCommand(create)) }];
  }
  const version = { PolicyArn, VersionId: policy.DefaultVersionId };
  const { PolicyVersion } = await client.send(new iam.GetPolicyVersionCommand(version));
  const current: unknown = JSON.parse(decodeURIComponent(PolicyVersion?.Document ?? "null"));
  if (isDeepStrictEqual(current, JSON.parse(PolicyDocument))) return [];
  const update = async () => {
    const { Versions = [] } = await client.send(new iam.ListPolicyVersionsCommand({ PolicyArn }));
    const [oldest] = Versions.filter(({ IsDefaultVersion }) => IsDefaultVersion !== true).sort(
      (one, other) => (one.CreateDate?.getTime() ?? 0) - (other.CreateDate?.getTime() ?? 0),
    );
    if (Versions.length >= VERSIONS && oldest !== undefined) {
      await client.send(new iam.DeletePolicyVersionCommand({ PolicyArn, VersionId: oldest.VersionId }));
    }
    await client.send(new iam.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument, SetAsDefault: true }));
  };
  return [{ result: "updated to the policy of this version of antifragile", make: update }];
}
