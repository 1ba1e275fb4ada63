import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DescribeClustersCommand, ECSClient } from "@aws-sdk/client-ecs";
import { paginateGetResources, ResourceGroupsTaggingAPIClient } from "@aws-sdk/client-resource-groups-tagging-api";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { type Answers, recordAnswers } from "./answers";
import { ASSUMPTIONS } from "./assumptions";
import { askTask, type Findings, type Patience } from "./questions";
import { RUN_TAG } from "./run-names";
import { RunStacks, TerraformFailure } from "./stacks";

export interface VerifyOptions {
  readonly account: string;
  readonly region: string;
  /** Folder that keeps the states of runs. */
  readonly folder: string;
  /** App of the run, a TypeScript file. */
  readonly program: string;
  /** File that receives the answers. */
  readonly answersFile: string;
  readonly print: (line: string) => void;
  /** Asks a question that is answered by yes or no. */
  readonly confirm: (question: string) => Promise<boolean>;
  /** Interrupts the run, which then destroys what it has created. */
  readonly signal: AbortSignal;
  readonly patience?: Patience;
}

const COST = "less than 0.10 USD; the key of the alarm topic is deleted after its waiting period, which is free";
const DURATION = "about 30 minutes, most of it for the cache";
const DEFAULT_PATIENCE: Patience = { milliseconds: 300_000, pollMilliseconds: 5_000 };

/** Deploys the program, records the answers, and destroys everything. Returns an exit code: 0 if all answers are yes. */
export async function verifyAws(options: VerifyOptions): Promise<number> {
  const { account, region, folder, print, confirm, signal, patience = DEFAULT_PATIENCE } = options;
  const actual = await signedInAccount(region);
  if (actual !== account) {
    print(`The credentials are of account ${actual}, not ${account}. Nothing was done.`);
    return 1;
  }
  if (!(await removeLeftovers(options))) return 1;
  if (signal.aborted) return 130;

  const run = `v${Date.now().toString(36)}`;
  const stacks = new RunStacks(join(folder, run));
  await stacks.synthesize(options.program, { run, account, region });
  print(`Creates in account ${account}, ${region}, with the tag ${RUN_TAG}=${run}:`);
  for (const [type, number] of Object.entries(stacks.resources()).sort()) print(`  ${number} ${type}`);
  print(`Cost: ${COST}.\nDuration: ${DURATION}. All is destroyed at the end, also after Ctrl-C.`);
  if (!(await confirm("Create them?")) || signal.aborted) {
    await stacks.destroy(print); // removes the folder: nothing is deployed
    return signal.aborted ? 130 : 1;
  }

  const findings: Findings = {};
  let destroyed = false;
  try {
    await deployAndAsk(run, stacks, options, patience, findings);
  } catch (error) {
    print((error as Error).message);
    if (!signal.aborted) Object.assign(findings, refusals(error));
  } finally {
    destroyed = await destroyRun(stacks, print);
  }
  if (destroyed) Object.assign(findings, await findDestroyed(run, region, patience));
  report(options, findings);
  if (signal.aborted) return 130;
  const settled = Object.values(findings);
  const open = ASSUMPTIONS.some(({ id, settledBy }) => "deployment" in settledBy && findings[id] === undefined);
  return destroyed && !open && settled.every(({ answer }) => answer === "yes") ? 0 : 1;
}

async function deployAndAsk(
  run: string,
  stacks: RunStacks,
  { region, print, signal }: VerifyOptions,
  patience: Patience,
  findings: Findings,
): Promise<void> {
  for (const name of stacks.names) {
    if (signal.aborted) return;
    print(`Deploying ${name} ...`);
    await stacks.apply(name, signal);
  }
  if (stacks.resources().aws_elasticache_user_group) findings["valkey-users"] = { answer: "yes" };
  const changed: string[] = [];
  for (const name of stacks.names) changed.push(...(await stacks.changes(name, signal)));
  const ofContainers = changed.filter((address) => address.startsWith("aws_ecs_"));
  findings["container-json"] =
    ofContainers.length > 0 ? { answer: "no", detail: ofContainers.join(", ") } : { answer: "yes" };
  if (changed.length > ofContainers.length) print(`A second plan would change ${changed.join(", ")}.`);
  print("Running a task ...");
  Object.assign(findings, await askTask(run, region, patience, signal));
}

/** "No" for each assumption that AWS has refused. An apply also fails for other reasons, which settle nothing. */
function refusals(error: unknown): Findings {
  if (!(error instanceof TerraformFailure)) return {};
  const lines = error.message.split("\n");
  return Object.fromEntries(
    ASSUMPTIONS.flatMap(({ id, refusedBy }) => {
      const detail = refusedBy && lines.find((line) => refusedBy.test(line));
      return detail === undefined ? [] : [[id, { answer: "no" as const, detail }]];
    }),
  );
}

async function destroyRun(stacks: RunStacks, print: (line: string) => void): Promise<boolean> {
  try {
    await stacks.destroy(print);
    return true;
  } catch (error) {
    print(`${(error as Error).message}\nThe state is in ${stacks.folder}: run the command again to remove the rest.`);
    return false;
  }
}

async function findDestroyed(run: string, region: string, patience: Patience): Promise<Findings> {
  // The tagging API lists deleted resources for some time.
  for (const end = Date.now() + patience.milliseconds; ; await sleep(patience.pollMilliseconds)) {
    const left = (await tagged(region)).get(run) ?? [];
    if (left.length === 0) return { destroyed: { answer: "yes" } };
    if (Date.now() > end) return { destroyed: { answer: "no", detail: left.join(", ") } };
  }
}

function report({ region, print, answersFile }: VerifyOptions, findings: Findings): void {
  const date = new Date().toISOString().slice(0, 10);
  const answers: Answers = Object.fromEntries(
    Object.entries(findings).map(([id, finding]) => [id, { ...finding, date, region }]),
  );
  recordAnswers(answersFile, answers);
  for (const { id, statement, settledBy } of ASSUMPTIONS) {
    const { answer = "not settled", detail = "" } = findings[id] ?? {};
    if ("deployment" in settledBy) print(`${answer}: ${statement}${detail && ` (${detail})`}`);
  }
}

/** Finds resources of interrupted runs, and removes them if the user agrees. Returns true if none is left. */
async function removeLeftovers({ region, folder, print, confirm }: VerifyOptions): Promise<boolean> {
  const leftovers = await tagged(region);
  if (leftovers.size === 0) return true;
  for (const [run, arns] of leftovers) print(`Left by run ${run}:\n${arns.map((arn) => `  ${arn}`).join("\n")}`);
  if (!(await confirm("Remove them?"))) return false;
  for (const run of leftovers.keys()) {
    const stacks = new RunStacks(join(folder, run));
    if (existsSync(stacks.folder) && !(await destroyRun(stacks, print))) return false;
  }
  const rest = [...(await tagged(region)).values()].flat();
  if (rest.length === 0) return true;
  print(`No state of these is in ${folder}; delete them in the console:\n${rest.map((arn) => `  ${arn}`).join("\n")}`);
  return false;
}

/** Keeps its tags after it was destroyed: a task definition always, a key for its waiting period. */
const DESTROYED_LATER = /^arn:[^:]+:(ecs:.*:task-definition\/|kms:.*:key\/)/;

/** ARNs of resources with the tag of a run, by run. */
async function tagged(region: string): Promise<Map<string, string[]>> {
  const client = new ResourceGroupsTaggingAPIClient({ region });
  const byRun = new Map<string, string[]>();
  try {
    for await (const page of paginateGetResources({ client }, { TagFilters: [{ Key: RUN_TAG }] })) {
      for (const { ResourceARN: arn = "", Tags = [] } of page.ResourceTagMappingList ?? []) {
        const run = Tags.find(({ Key }) => Key === RUN_TAG)?.Value ?? "";
        if (DESTROYED_LATER.test(arn) || (await isDeletedCluster(region, arn))) continue;
        byRun.set(run, [...(byRun.get(run) ?? []), arn]);
      }
    }
  } finally {
    client.destroy();
  }
  return byRun;
}

/** A deleted cluster remains in the account for some time. @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteCluster.html */
async function isDeletedCluster(region: string, arn: string): Promise<boolean> {
  if (!/^arn:[^:]+:ecs:.*:cluster\//.test(arn)) return false;
  const ecs = new ECSClient({ region });
  try {
    const { clusters = [] } = await ecs.send(new DescribeClustersCommand({ clusters: [arn] }));
    return clusters.every(({ status }) => status === "INACTIVE");
  } finally {
    ecs.destroy();
  }
}

async function signedInAccount(region: string): Promise<string | undefined> {
  const sts = new STSClient({ region });
  try {
    return (await sts.send(new GetCallerIdentityCommand({}))).Account;
  } finally {
    sts.destroy();
  }
}
