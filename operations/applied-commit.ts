import { spawnSync } from "node:child_process";
import { commitParameter } from "../contract/release";
import { quoted } from "../contract/text";
import { badUsage, UserError } from "../contract/user-error";
import { AwsClients, loadSdk } from "./aws-sdk";
import { type FoundStack, findStacks } from "./release/find";

/** Commit that a CI system deploys to an environment. */
export interface DeployedCommit {
  /** Folder of the generated repository, in a clone that has the history of the branch. */
  readonly repository: string;
  readonly environment: string;
  /** Hash of the commit. */
  readonly commit: string;
  readonly print: (text: string) => void;
}

/** Flag of the commands that deploy a commit. */
export const COMMIT_FLAG = {
  value: "SHA",
  help: "refuse this commit if it is older than the one that was applied last, as when an old run is repeated",
} as const;

/** @throws UserError for a commit that is not a full hash */
export function checkCommit(command: string, commit: string): void {
  if (/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(commit)) return;
  throw badUsage(
    [`--commit ${quoted(commit)}: must be the full hash of a commit`],
    `antifragile ${command} --help explains it.`,
  );
}

async function forEachStack(
  { repository, environment, print }: DeployedCommit,
  work: (stack: FoundStack, clients: AwsClients, sdk: typeof import("@aws-sdk/client-ssm")) => Promise<void>,
): Promise<void> {
  const sdk = await loadSdk("@aws-sdk/client-ssm", () => import("@aws-sdk/client-ssm"));
  for (const stack of await findStacks(repository, environment)) {
    await AwsClients.use({ region: stack.region, print }, (clients) => work(stack, clients, sdk));
  }
}

/**
 * Refuses a commit that the commit applied last already contains: applying it would undo what came after it.
 *
 * @throws UserError with the commit that is applied
 */
export async function refuseOlderCommit(deployed: DeployedCommit): Promise<void> {
  const { repository, environment, commit, print } = deployed;
  await forEachStack(deployed, async (stack, clients, { GetParameterCommand, ParameterNotFound, SSMClient }) => {
    let applied: string | undefined;
    try {
      const answer = await clients.get(SSMClient).send(new GetParameterCommand({ Name: commitParameter(stack) }));
      applied = answer.Parameter?.Value;
    } catch (error) {
      if (!(error instanceof ParameterNotFound)) throw error;
    }
    if (applied === undefined || applied === commit) return;
    const { status } = spawnSync("git", ["merge-base", "--is-ancestor", commit, applied], { cwd: repository });
    if (status === 0) {
      throw new UserError(
        `commit ${commit.slice(0, 12)} is older than ${applied.slice(0, 12)}, which ${environment} has: nothing was changed. Deploy a newer commit, or roll back with antifragile rollback ${environment}`,
        1,
      );
    }
    if (status !== 1) {
      print(
        `commit ${applied.slice(0, 12)}, which ${environment} has, is not in this clone: whether it is newer was not verified\n`,
      );
    }
  });
}

/** Records the commit as the one applied last. */
export async function recordAppliedCommit(deployed: DeployedCommit): Promise<void> {
  await forEachStack(deployed, async (stack, clients, { PutParameterCommand, SSMClient }) => {
    await clients.get(SSMClient).send(
      new PutParameterCommand({
        Name: commitParameter(stack),
        Value: deployed.commit,
        Type: "String",
        Overwrite: true,
        Description: "Commit applied last. Written by antifragile apply.",
      }),
    );
  });
}
