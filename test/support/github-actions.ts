import type { CiJob, CiStep } from "../generator/support/ci-files";
import { installed } from "../iam/packages";
import type { Program } from "../iam/resolve";
import { trustPolicies } from "../iam/roles";
import { trustsToken } from "../iam/simulate";
import { AwsCaller, field } from "./aws-call";

/**
 * Does the work of the actions of GitHub: exchanges the token of a job for credentials of a role, if its trust policy allows the claims of
 * this job. The others prepare a machine, which is ready.
 *
 * @param programs stacks that have the roles
 */
export function gitHubAction(
  url: string,
  { repository, programs }: { repository: string; programs: readonly Program[] },
) {
  const trusts = new Map(programs.flatMap(trustPolicies).map(({ name, policy }) => [name, policy]));
  return async ({ uses = "", with: inputs = {} }: CiStep, job: CiJob): Promise<Record<string, string>> => {
    if (!uses.startsWith("aws-actions/configure-aws-credentials@")) return {};
    const { environment, permissions } = JSON.parse(job.runsOn);
    if (permissions?.["id-token"] !== "write") throw new Error(`job ${job.name} may not request a token`);
    const ref = "refs/heads/main";
    const claims: Readonly<Record<string, string>> = {
      aud: "sts.amazonaws.com",
      sub: `repo:${repository}:${environment === undefined ? `ref:${ref}` : `environment:${environment}`}`,
      ref,
    };
    const RoleArn = String(inputs["role-to-assume"]);
    const policy = trusts.get(RoleArn.split("/").at(-1) ?? "") ?? {};
    // Of this only the simulator can judge.
    if (installed && !(await trustsToken(policy, "token.actions.githubusercontent.com", claims))) {
      throw new Error(`${RoleArn} does not trust ${JSON.stringify(claims)}`);
    }
    const answer = await new AwsCaller(url).call("sts", "AssumeRoleWithWebIdentity", {
      RoleArn,
      RoleSessionName: "GitHubActions",
      WebIdentityToken: "token",
      DurationSeconds: inputs["role-duration-seconds"],
    });
    const value = (name: string) => field(answer, name) ?? "";
    return {
      AWS_ACCESS_KEY_ID: value("AccessKeyId"),
      AWS_SECRET_ACCESS_KEY: value("SecretAccessKey"),
      AWS_SESSION_TOKEN: value("SessionToken"),
      AWS_REGION: String(inputs["aws-region"]),
    };
  };
}
