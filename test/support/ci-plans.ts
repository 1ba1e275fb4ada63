import { join } from "node:path";
import type { CiSystem } from "../generator/support/ci-files";
import type { JobsResult } from "../generator/support/ci-run";
import { installed } from "../iam/packages";
import type { Program } from "../iam/resolve";
import { rolesIn, type SimulatedRole, trustPolicies } from "../iam/roles";
import { trustsToken } from "../iam/simulate";
import { AwsCaller } from "./aws-call";
import { createRoles, serveCredentials } from "./build-roles";
import { CiRepository, type CiRepositoryOptions } from "./ci-repository";

/** CI systems whose jobs assume their roles by the profile of scripts/with-role.sh. */
export const WITH_ROLE = ["gitlab", "jenkins", "teamcity", "travis"] as const satisfies readonly CiSystem[];
type WithRole = (typeof WITH_ROLE)[number];

/** Commands that the emulator would take minutes for: an environment that was applied before is needed for those after the first plan. */
const RECORDED = ["apply staging", "release staging", "alarms staging", "plan production"];

/** A run of the jobs of a commit, up to the approval of production. */
export interface PlannedRun extends JobsResult {
  readonly ci: WithRole;
  readonly sha: string;
  /** Commands that were recorded. */
  readonly recorded: readonly string[];
}

export interface PlansOnCi {
  /** ARN of the user whose access keys Travis CI has. */
  readonly user: string;
  readonly repository: Omit<CiRepositoryOptions, "ci" | "recorded" | "environments">;
}

/**
 * Runs the jobs of a push to the repository of each CI system, all at the same time: tests, image and plan of staging, which does not
 * exist yet, by real programs with the credentials that the jobs get; what follows is recorded.
 *
 * @returns the runs, the roles that their calls may be judged by, and the jobs of GitLab whose role does not trust their token
 */
export async function planOnCi({ user, repository }: PlansOnCi) {
  const { url, account } = repository;
  const aws = new AwsCaller(url, "eu-central-1", account);
  await aws.rest(
    "s3",
    "PUT",
    `/antifragile-state-${account}-eu-central-1`,
    "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>",
  );
  const RoleName = "agents";
  const Statement = [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }];
  const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await aws.call("iam", "CreateRole", { RoleName, AssumeRolePolicyDocument });
  const agents = `arn:aws:iam::${account}:role/${RoleName}`;
  const delivery: Record<WithRole, string> = {
    gitlab: 'project: "acme/orders"',
    jenkins: `principal: "${agents}"`,
    teamcity: `principal: "${agents}"`,
    travis: `principal: "${user}"`,
  };
  const start = async (ci: WithRole) => {
    const environments = (text: string) => text.replace('repository: "acme/orders"', delivery[ci]);
    const own = { ...repository, folder: join(repository.folder, ci), ci, environments, recorded: RECORDED };
    const origin = await CiRepository.start(own);
    return { ci, origin, sha: origin.commit("feat: first version") };
  };
  const origins = await Promise.all(WITH_ROLE.map(start));
  const programs = new Map<WithRole, Program>();
  await Promise.all(
    origins.map(async ({ ci, origin }) =>
      programs.set(ci, (await origin.synthesized("orders-delivery"))[0] as Program),
    ),
  );
  const trusts = await createCiRoles(url, account, programs);
  const untrusted = installed ? await refusedTokens(origins[0]?.origin as CiRepository, trusts) : [];
  const credentials = await serveCredentials(url, "ec2.amazonaws.com", agents);
  const machine: Record<WithRole, NodeJS.ProcessEnv> = {
    gitlab: {},
    jenkins: { AWS_EC2_METADATA_SERVICE_ENDPOINT: credentials.url, AWS_EC2_METADATA_DISABLED: "false" },
    teamcity: { DELIVERY_CREDENTIALS: "EcsContainer", AWS_CONTAINER_CREDENTIALS_FULL_URI: credentials.url },
    travis: {},
  };
  try {
    const runs = origins.map(async ({ ci, origin, sha }): Promise<PlannedRun> => {
      const accounts = { AWS_ACCOUNT_ID: account };
      const run = await origin.run(
        { sha, id: "100", accounts },
        { variables: () => ({ AWS_ENDPOINT_URL_STS: url, ...(machine[ci] as Record<string, string>) }) },
      );
      return { ...run, ci, sha, recorded: origin.recorded };
    });
    return { runs: await Promise.all(runs), roles: rolesOf(programs), untrusted };
  } finally {
    credentials.stop();
    for (const { origin } of origins) origin.stop();
  }
}

/** Roles of GitLab's jobs that do not trust the token which the job gets. Of this only the simulator can judge. */
async function refusedTokens(origin: CiRepository, trusts: ReadonlyMap<string, object>): Promise<string[]> {
  const refused: string[] = [];
  for (const { name, steps, variables } of origin.jobs({ sha: "", id: "100" })) {
    for (const [, role] of steps.flatMap(({ run = "" }) => [...run.matchAll(/with-role\.sh (\S+)/g)])) {
      const trust = trusts.get(`orders-delivery-gl-${role}`);
      const claims = JSON.parse(variables(new Map()).AWS_TOKEN ?? "{}");
      if (trust !== undefined && !(await trustsToken(trust, "gitlab.com", claims))) refused.push(`${name}: ${role}`);
    }
  }
  return refused;
}

/** Roles of all programs; those of one name have the same policies. */
const rolesOf = (programs: ReadonlyMap<WithRole, Program>): SimulatedRole[] =>
  ["gitlab", "jenkins"].flatMap((ci) => rolesIn(programs.get(ci as WithRole) as Program));

/** Creates the roles; each trusts whom the program of any CI system says. Returns the trust policies of GitLab's, by name. */
async function createCiRoles(url: string, account: string, programs: ReadonlyMap<WithRole, Program>) {
  const isOne = /-(gl|ci)-/;
  for (const ci of ["gitlab", "jenkins"] as const) {
    await createRoles(url, { account, program: programs.get(ci) as Program, policies: false, isOne });
  }
  const aws = new AwsCaller(url, "eu-central-1", account);
  const policies = (ci: WithRole) => trustPolicies(programs.get(ci) as Program);
  const others = new Map(policies("jenkins").map(({ name, policy }) => [name, policy as { Statement: object[] }]));
  for (const { name: RoleName, policy } of policies("travis")) {
    if (!isOne.test(RoleName)) continue;
    const own = policy as { Statement: object[] };
    const Statement = [...(others.get(RoleName)?.Statement ?? []), ...own.Statement];
    await aws.call("iam", "UpdateAssumeRolePolicy", {
      RoleName,
      PolicyDocument: JSON.stringify({ ...own, Statement }),
    });
  }
  return new Map(policies("gitlab").map(({ name, policy }) => [name, policy]));
}
