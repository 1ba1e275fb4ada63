/** Small app for runs of `verify:aws`: a log group, and a task definition, which AWS refuses where `REFUSED` is set. */
import { App, AwsStack } from "../../../constructs";
import { programInputs, RUN_TAG } from "../../../scripts/verify-aws/run-names";

const { run, account, region } = programInputs();
const app = new App();
const stack = new AwsStack(app, run, {
  environment: { name: "verify", region, account, profile: "dev" },
  lifetime: "platform",
  tags: { [RUN_TAG]: run },
});
stack.addOverride("resource.aws_cloudwatch_log_group.Logs", { name: `/${run}/logs` });
stack.addOverride("resource.aws_ecs_task_definition.Task", {
  family: run,
  requires_compatibilities: ["FARGATE"],
  network_mode: "awsvpc",
  cpu: process.env.REFUSED === "1" ? "300" : "256",
  memory: "512",
  container_definitions: JSON.stringify([{ name: "app", image: "node", essential: true }]),
  depends_on: ["aws_cloudwatch_log_group.Logs"],
});
app.synth();
