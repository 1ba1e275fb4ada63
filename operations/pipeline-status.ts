import type { StageState } from "@aws-sdk/client-codepipeline";
import { formatTable } from "../contract/table";
import { logLine, timestamp } from "../contract/text";
import { UserError } from "../contract/user-error";
import { type AwsClients, loadSdk } from "./aws-sdk";

/** Action that someone has to look at. */
interface ActionNote {
  readonly action: string;
  /** Why it failed. */
  readonly message?: string;
  /** Page of the log, or of the pipeline, in which the approval is given. */
  readonly url: string;
}

interface StageStatus {
  readonly stage: string;
  /** Status of the last execution: `Succeeded`, `Failed`, `InProgress`, ... */
  readonly status: string;
  readonly execution: string | null;
  /** Commit, or other version, of the source of that execution. */
  readonly commit: string | null;
  /** Time of the last change of one of its actions. */
  readonly changed: string | null;
  /** Reason, if no execution may enter the stage. */
  readonly disabled: string | null;
  readonly waits: readonly ActionNote[];
  readonly failed: readonly ActionNote[];
}

/** State of a pipeline, as the command prints it in JSON. */
export interface PipelineStatus {
  readonly pipeline: string;
  readonly region: string;
  readonly url: string;
  readonly stages: readonly StageStatus[];
}

/**
 * Reads the state of a pipeline, and the commit of each execution in it.
 *
 * Needs `codepipeline:GetPipelineState` and `codepipeline:GetPipelineExecution`.
 *
 * @throws UserError if it does not exist
 * @see https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GetPipelineState.html
 */
export async function pipelineStatus(clients: AwsClients, name: string): Promise<PipelineStatus> {
  const sdk = await loadSdk("@aws-sdk/client-codepipeline", () => import("@aws-sdk/client-codepipeline"));
  const client = clients.get(sdk.CodePipelineClient);
  const region = await client.config.region();
  const { stageStates = [] } = await client.send(new sdk.GetPipelineStateCommand({ name })).catch((error) => {
    if (!(error instanceof sdk.PipelineNotFoundException)) throw error;
    throw new UserError(
      `pipeline ${name} does not exist in ${region} in this account: antifragile deploy delivery creates that of a repository`,
      1,
    );
  });
  const executions = new Set(stageStates.flatMap((each) => each.latestExecution?.pipelineExecutionId ?? []));
  const commitOf = async (pipelineExecutionId: string) => {
    const read = new sdk.GetPipelineExecutionCommand({ pipelineName: name, pipelineExecutionId });
    const { pipelineExecution } = await client.send(read).catch((error) => {
      // CodePipeline keeps executions for a year.
      if (error instanceof sdk.PipelineExecutionNotFoundException) return { pipelineExecution: undefined };
      throw error;
    });
    return [pipelineExecutionId, pipelineExecution?.artifactRevisions?.[0]?.revisionId] as const;
  };
  const commits = new Map(await Promise.all([...executions].map(commitOf)));
  const url = `https://${region}.console.${consoleOf(region)}/codesuite/codepipeline/pipelines/${name}/view?region=${region}`;
  return { pipeline: name, region, url, stages: stageStates.map((each) => stageOf(each, commits, url)) };
}

const consoleOf = (region: string) =>
  region.startsWith("cn-") ? "amazonaws.cn" : region.startsWith("us-gov-") ? "amazonaws-us-gov.com" : "aws.amazon.com";

function stageOf(state: StageState, commits: ReadonlyMap<string, string | undefined>, url: string): StageStatus {
  const { stageName = "", latestExecution, actionStates = [], inboundTransitionState } = state;
  const execution = latestExecution?.pipelineExecutionId;
  const actions = actionStates.flatMap(({ actionName = "", latestExecution: latest, entityUrl }) =>
    latest === undefined ? [] : [{ action: actionName, latest, entityUrl }],
  );
  const changes = actions.flatMap(({ latest }) => latest.lastStatusChange ?? []);
  return {
    stage: stageName,
    status: latestExecution?.status ?? "not started",
    execution: execution ?? null,
    commit: commits.get(execution ?? "") ?? null,
    changed: changes.length === 0 ? null : timestamp(new Date(Math.max(...changes.map(Number)))),
    disabled: inboundTransitionState?.enabled === false ? (inboundTransitionState.disabledReason ?? "") : null,
    // Only an approval has a token, for as long as it waits.
    waits: actions.flatMap(({ action, latest }) =>
      latest.status === "InProgress" && latest.token !== undefined ? [{ action, url }] : [],
    ),
    failed: actions.flatMap(({ action, latest, entityUrl }) => {
      if (latest.status !== "Failed") return [];
      const message = latest.errorDetails?.message ?? latest.summary ?? "no reason was given";
      return [{ action, message, url: latest.externalExecutionUrl ?? entityUrl ?? url }];
    }),
  };
}

/** Table of the stages, and below it what someone has to look at. */
export function describePipeline({ pipeline, region, url, stages }: PipelineStatus): string {
  const rows = stages.map(({ stage, status, commit, changed, disabled }) => [
    stage,
    disabled === null ? status : `${status}, closed`,
    commit === null ? "-" : logLine(commit.slice(0, 12)),
    changed ?? "-",
  ]);
  const notes = stages.flatMap(({ stage, disabled, waits, failed }) => [
    ...(disabled === null ? [] : [`${stage} lets no execution in: ${disabled || "no reason was given"}`]),
    ...waits.map((each) => `${stage}, ${each.action} waits for an approval: ${each.url}`),
    ...failed.map((each) => `${stage}, ${each.action} failed: ${each.message}\n  ${each.url}`),
  ]);
  const table = formatTable(["stage", "status", "commit", "changed"], rows);
  return `${pipeline} in ${region}: ${url}\n${table}${notes.map((note) => `${note.split("\n").map(logLine).join("\n")}\n`).join("")}`;
}
