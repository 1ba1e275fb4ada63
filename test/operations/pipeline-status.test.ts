import { PipelineExecutionNotFoundException, PipelineNotFoundException } from "@aws-sdk/client-codepipeline";
import { expect, it } from "vitest";
import type { AwsClients } from "../../operations/aws-sdk";
import { describePipeline, pipelineStatus } from "../../operations/pipeline-status";

const at = (minute: number) => new Date(Date.UTC(2026, 10, 28, 10, minute));
const COMMIT = "0123456789abcdef0123456789abcdef01234567";

const STATE = {
  stageStates: [
    {
      stageName: "Source",
      inboundTransitionState: { enabled: true },
      latestExecution: { pipelineExecutionId: "e2", status: "Succeeded" },
      actionStates: [{ actionName: "Source", latestExecution: { status: "Succeeded", lastStatusChange: at(1) } }],
    },
    {
      stageName: "Staging",
      latestExecution: { pipelineExecutionId: "e2", status: "Failed" },
      actionStates: [
        { actionName: "Plan", latestExecution: { status: "Succeeded", lastStatusChange: at(2) } },
        {
          actionName: "Apply",
          latestExecution: {
            status: "Failed",
            lastStatusChange: at(3),
            errorDetails: { code: "JobFailed", message: "Build terminated with state: FAILED\u001b[2J" },
            externalExecutionUrl: "https://console.aws.amazon.com/codebuild/1",
          },
        },
        { actionName: "Release" },
      ],
    },
    {
      stageName: "Production",
      inboundTransitionState: { enabled: false, disabledReason: "freeze" },
      latestExecution: { pipelineExecutionId: "e1", status: "InProgress" },
      actionStates: [
        { actionName: "Approve", latestExecution: { status: "InProgress", token: "t", lastStatusChange: at(0) } },
        { actionName: "Release", latestExecution: { status: "InProgress", lastStatusChange: at(0) } },
      ],
    },
    { stageName: "Later", actionStates: [{ actionName: "Plan" }] },
  ],
};

const EXECUTIONS: Readonly<Record<string, object>> = {
  e2: { artifactRevisions: [{ name: "Source", revisionId: COMMIT }] },
  e1: { artifactRevisions: [] },
};

/** Clients that answer with a state, or an error. */
const clients = (state: object, region = "eu-central-1") => {
  const send = async ({ input }: { input: { pipelineExecutionId?: string } }) => {
    const { pipelineExecutionId } = input;
    if (pipelineExecutionId === undefined) {
      if (state instanceof Error) throw state;
      return state;
    }
    const pipelineExecution = EXECUTIONS[pipelineExecutionId];
    if (pipelineExecution !== undefined) return { pipelineExecution };
    throw new PipelineExecutionNotFoundException({ message: "", $metadata: {} });
  };
  return { get: () => ({ config: { region: async () => region }, send }) } as unknown as AwsClients;
};

it("has each stage with the commit of its last execution, waiting approvals and failures", async () => {
  const status = await pipelineStatus(clients(STATE), "orders");
  const url =
    "https://eu-central-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/orders/view?region=eu-central-1";
  const nothing = { disabled: null, waits: [], failed: [] };
  expect(status).toEqual({
    pipeline: "orders",
    region: "eu-central-1",
    url,
    stages: [
      {
        ...nothing,
        stage: "Source",
        status: "Succeeded",
        execution: "e2",
        commit: COMMIT,
        changed: "2026-11-28T10:01:00Z",
      },
      {
        ...nothing,
        stage: "Staging",
        status: "Failed",
        execution: "e2",
        commit: COMMIT,
        changed: "2026-11-28T10:03:00Z",
        failed: [
          {
            action: "Apply",
            message: "Build terminated with state: FAILED\u001b[2J",
            url: "https://console.aws.amazon.com/codebuild/1",
          },
        ],
      },
      {
        ...nothing,
        stage: "Production",
        status: "InProgress",
        execution: "e1",
        commit: null,
        changed: "2026-11-28T10:00:00Z",
        disabled: "freeze",
        waits: [{ action: "Approve", url }],
      },
      { ...nothing, stage: "Later", status: "not started", execution: null, commit: null, changed: null },
    ],
  });
  expect(describePipeline(status)).toBe(`orders in eu-central-1: ${url}
stage       status              commit        changed
Source      Succeeded           0123456789ab  2026-11-28T10:01:00Z
Staging     Failed              0123456789ab  2026-11-28T10:03:00Z
Production  InProgress, closed  -             2026-11-28T10:00:00Z
Later       not started         -             -
Staging, Apply failed: Build terminated with state: FAILED\\u001b[2J
  https://console.aws.amazon.com/codebuild/1
Production lets no execution in: freeze
Production, Approve waits for an approval: ${url}
`);
});

it("is read also where CodePipeline has forgotten an execution", async () => {
  const [source] = STATE.stageStates;
  const old = { stageStates: [{ ...source, latestExecution: { pipelineExecutionId: "e0", status: "Succeeded" } }] };
  expect((await pipelineStatus(clients(old), "orders")).stages).toMatchObject([{ execution: "e0", commit: null }]);
});

it.each([
  ["cn-north-1", "https://cn-north-1.console.amazonaws.cn/"],
  ["us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/"],
])("has the console of %s", async (region, start) => {
  expect((await pipelineStatus(clients(STATE, region), "orders")).url.startsWith(start)).toBe(true);
});

it("names a pipeline that does not exist", async () => {
  const error = new PipelineNotFoundException({ message: "", $metadata: {} });
  await expect(pipelineStatus(clients(error), "ordres")).rejects.toThrow(
    "pipeline ordres does not exist in eu-central-1 in this account: antifragile deploy delivery creates that of a repository",
  );
});
