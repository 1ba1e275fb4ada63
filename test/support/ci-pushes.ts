import { writeFileSync } from "node:fs";
import type { Passed } from "../generator/support/ci-files";
import type { JobsResult } from "../generator/support/ci-run";
import type { Program } from "../iam/resolve";
import { AwsCaller } from "./aws-call";
import { createRoles } from "./build-roles";
import { CiRepository, type CiRepositoryOptions } from "./ci-repository";
import { gitHubAction } from "./github-actions";

/** State of production: the maximum number of tasks, and the image. */
type Live = readonly [tasks: number, image: string];

export interface TwoPushes {
  readonly older: string;
  readonly newer: string;
  /** Runs of the pushes, up to the approval of production. */
  readonly waiting: { readonly older: JobsResult; readonly newer: JobsResult };
  /** Run of production, once a person has approved the newer one. */
  readonly delivered: JobsResult;
  /** Runs after it: the older one is approved, plans once more, and the newer one is repeated. */
  readonly late: { readonly approved: JobsResult; readonly planned: JobsResult; readonly repeated: JobsResult };
  /** State of production before the approval, after it, and in the end. */
  readonly live: readonly Live[];
  /** Image of the newer commit. */
  readonly image: string;
  /** Commands that were recorded. */
  readonly recorded: readonly string[];
  /** Stacks with the roles, in the accounts of delivery and of production. */
  readonly programs: readonly [Program, Program];
  /** Clone with the newer commit. */
  readonly clone: string;
}

/**
 * Pushes two commits in quick succession, which GitHub's workflow delivers to an environment production that is deployed. Only what changes
 * staging is recorded, GitHub's actions and `npm ci` are stand-ins.
 *
 * @param account account of production
 */
export async function pushTwice(
  repository: Omit<CiRepositoryOptions, "ci" | "recorded" | "environments">,
  account: string,
  log: string,
): Promise<TwoPushes> {
  const { url } = repository;
  const gitHub = await CiRepository.start({
    ...repository,
    ci: "github-actions",
    environments: (text) =>
      text.replace(
        'repository: "acme/orders"',
        'repository: { owner: "acme", name: "orders", numbers: { owner: 1, repository: 2 } }',
      ),
    recorded: ["apply staging", "release staging", "alarms staging"],
  });
  const scale = (from: number, to: number) =>
    gitHub.edit("infra/environments.ts", (text) =>
      text.replace(`scaling: { min: 3, max: ${from} }`, `scaling: { min: 3, max: ${to} }`),
    );
  scale(20, 22);
  const older = gitHub.commit("feat: two more tasks");
  scale(22, 21);
  const newer = gitHub.commit("fix: one is enough");
  const programs = (await gitHub.synthesized("orders-delivery", "orders-delivery-production")) as [Program, Program];
  const [ofDelivery, ofProduction] = programs;
  await createRoles(url, { account: repository.account, program: ofDelivery, policies: false, isOne: /-gh-/ });
  await createRoles(url, { account, program: ofProduction, policies: false });
  const ecr = new AwsCaller(url, "eu-central-1", repository.account);
  const { policyText } = await ecr.call("ecr", "GetRepositoryPolicy", { repositoryName: "orders" });
  const [policy] = Object.values(ofDelivery.resource?.aws_ecr_repository_policy ?? {});
  await ecr.call("ecr", "SetRepositoryPolicy", { repositoryName: "orders", policyText: policy?.policy });

  const accounts = { AWS_ACCOUNT_ID: repository.account, AWS_ACCOUNT_ID_PRODUCTION: account };
  const act = gitHubAction(url, { repository: "acme@1/orders@2", programs });
  const run = async (sha: string, more: { jobs?: string[]; approve?: boolean; passed?: Passed }) => {
    const result = await gitHub.run({ sha, id: sha === older ? "100" : "101", accounts }, { act, ...more });
    writeFileSync(log, result.output, { flag: "a" });
    return result;
  };
  const [first, second] = await Promise.all([
    run(older, { jobs: ["image", "production-plan", "production"] }),
    run(newer, {}),
  ]);
  const live = [await liveIn(url, account)];
  const production = { jobs: ["production"], approve: true };
  const delivered = await run(newer, { ...production, passed: second.passed });
  live.push(await liveIn(url, account));
  const [approved, planned, repeated] = await Promise.all([
    run(older, { ...production, passed: first.passed }),
    run(older, { jobs: ["production-plan"] }),
    run(newer, { ...production, passed: second.passed }),
  ]);
  live.push(await liveIn(url, account));
  gitHub.stop();
  await ecr.call("ecr", "SetRepositoryPolicy", { repositoryName: "orders", policyText });
  const waiting = { older: first, newer: second };
  const late = { approved, planned, repeated };
  const image = second.passed.get("image.image") ?? "";
  const { recorded, origin } = gitHub;
  return { older, newer, waiting, delivered, late, live, image, recorded, programs, clone: origin };
}

async function liveIn(url: string, account: string): Promise<Live> {
  const aws = new AwsCaller(url, "eu-central-1", account);
  const scaling = { ServiceNamespace: "ecs" };
  const { ScalableTargets } = await aws.call("application-autoscaling", "DescribeScalableTargets", scaling);
  const wanted = { cluster: "orders-production", services: ["orders"] };
  const { services } = await aws.call("ecs", "DescribeServices", wanted);
  const { taskDefinition } = await aws.call("ecs", "DescribeTaskDefinition", {
    taskDefinition: services[0].taskDefinition,
  });
  return [ScalableTargets[0].MaxCapacity, taskDefinition.containerDefinitions[0].image];
}
