import { describe, expect, it } from "vitest";
import { CloudNativeService, cron, Duration, Ingress, ServiceDashboard, type ServiceStack } from "../../../constructs";
import { only, ordersStack, PRODUCTION, resources } from "../../support/synth";
import {
  actionsAllowed,
  alarm,
  experiment,
  orders,
  statementsOf,
  type Template,
  taskOf,
  templateOf,
} from "./experiments";

describe("an experiment", () => {
  it("stops a percentage of the tasks of one service, and stops itself on the service's alarm", () => {
    const target = orders();
    experiment(target, {});
    expect(templateOf(target)).toMatchObject({
      action: [
        { name: "stop-tasks", action_id: "aws:ecs:stop-task", target: { key: "Tasks", value: "target" } },
        // Stopping tasks takes a moment; alarms go off minutes later.
        { action_id: "aws:fis:wait", parameter: [{ key: "duration", value: "PT5M" }], start_after: ["stop-tasks"] },
      ],
      target: [
        {
          name: "target",
          resource_type: "aws:ecs:task",
          selection_mode: "PERCENT(50)",
          parameters: { service: "orders" },
        },
      ],
      stop_condition: [
        {
          source: "aws:cloudwatch:alarm",
          value: expect.stringMatching(/^\$\{aws_cloudwatch_metric_alarm\..*\.arn\}$/),
        },
      ],
      experiment_options: { empty_target_resolution_mode: "fail" },
      log_configuration: { cloudwatch_logs_configuration: { log_group_arn: expect.stringMatching(/\.arn\}:\*$/) } },
    });
  });

  it("includes alarms that were added to the service after it", () => {
    const target = new CloudNativeService(ordersStack(), "Orders", { scaling: { min: 2 } });
    experiment(target, {});
    target.add(new Ingress());
    expect(templateOf(target).stop_condition).toHaveLength(1);
  });

  it("uses the alarms that roll back a deployment, out of all alarms of a service in production", () => {
    const target = orders(ordersStack(PRODUCTION));
    experiment(target, { environments: ["production"], production: "users may notice" });
    expect(target.alarms.length).toBeGreaterThan(5);
    const rolledBackOn = (only(target.node.scope as ServiceStack, "aws_ecs_service") as Template).alarms.alarm_names;
    expect(templateOf(target).stop_condition).toHaveLength(rolledBackOn.length);
    expect(target.health.map(({ alarmName }) => alarmName).sort()).toEqual(rolledBackOn);
  });

  it("watches longer if configured to", () => {
    const target = orders();
    experiment(target, { watch: Duration.minutes(12) });
    expect(templateOf(target).action[1].parameter).toEqual([{ key: "duration", value: "PT12M" }]);
  });

  it("accepts other alarms as the hypothesis", () => {
    const target = orders();
    const stack = target.node.scope as ServiceStack;
    experiment(target, { stopOn: [alarm(stack)] });
    expect(templateOf(target).stop_condition).toEqual([
      { source: "aws:cloudwatch:alarm", value: "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:shop-errors" },
    ]);
  });

  it("has a role that may stop only tasks of this service, trusted for this account only", () => {
    const target = orders();
    experiment(target, {});
    const stack = target.node.scope as ServiceStack;
    expect(statementsOf(stack, "Shaken_Role").filter(({ Action }) => Action.includes("ecs:StopTask"))).toEqual([
      {
        Effect: "Allow",
        Action: ["ecs:StopTask"],
        Resource: [expect.stringMatching(/:task\/\$\{.*clusterName.*\}\/\*$/)],
        Condition: { StringEquals: { "aws:ResourceTag/aws:ecs:serviceName": "orders" } },
      },
    ]);
    const [, role] = Object.entries(resources(stack, "aws_iam_role")).find(([id]) => id.includes("Shaken_Role")) ?? [];
    expect((role as Template).assume_role_policy.Statement).toEqual([
      expect.objectContaining({
        Principal: { Service: "fis.amazonaws.com" },
        Condition: { StringEquals: { "aws:SourceAccount": expect.any(String) } },
      }),
    ]);
    expect(actionsAllowed(stack, "Shaken_Role").filter((action) => action.includes("*"))).toEqual([]);
  });

  it("does not change tasks for a fault from outside", () => {
    const [plain, shaken] = [orders(), orders()];
    experiment(shaken, {});
    expect(taskOf(shaken)).toEqual(taskOf(plain));
  });

  it("starts on a schedule, with a role that may start only this experiment", () => {
    const target = orders();
    experiment(target, { schedule: cron("0 10 * * TUE", { timezone: "Europe/Berlin" }) });
    const stack = target.node.scope as ServiceStack;
    expect(only(stack, "aws_scheduler_schedule")).toMatchObject({
      schedule_expression: "cron(0 10 ? * TUE *)",
      schedule_expression_timezone: "Europe/Berlin",
      target: {
        arn: expect.stringMatching(/:scheduler:::aws-sdk:fis:startExperiment$/),
        input: { ExperimentTemplateId: expect.stringMatching(/^\$\{aws_fis_experiment_template\..*\.id\}$/) },
      },
    });
    expect(statementsOf(stack, "ScheduleRole")).toContainEqual({
      Effect: "Allow",
      Action: ["fis:StartExperiment"],
      Resource: expect.arrayContaining([
        expect.stringMatching(/:experiment-template\/\$\{aws_fis_experiment_template\..*\.id\}$/),
        expect.stringMatching(/:experiment\/\*$/),
      ]),
    });
  });

  const lookedAt = (stack: unknown) =>
    statementsOf(stack, "Shaken_Role")
      .filter(({ Action }) => String(Action).startsWith("cloudwatch:"))
      .map(({ Action, Resource }) => [String(Action), Resource]);

  it("writes a report to the configured bucket, and may write nowhere else and read nothing", () => {
    const target = orders();
    experiment(target, { report: { bucketName: "shop-game-days" } });
    const report = templateOf(target).experiment_report_configuration;
    expect(report).toMatchObject({
      outputs: { s3_configuration: { bucket_name: "shop-game-days", prefix: "orders-dev-shaken" } },
    });
    expect(report).not.toHaveProperty("data_sources");
    const written = statementsOf(target.node.scope, "Shaken_Role").find(({ Action }) =>
      Action.includes("s3:PutObject"),
    );
    expect(written?.Resource).toEqual([expect.stringMatching(/:s3:::shop-game-days\/orders-dev-shaken\/\*$/)]);
    expect(lookedAt(target.node.scope)).toEqual([]);
  });

  it("shows the target's dashboards in its report, also those added later, and may read no others", () => {
    const target = orders();
    experiment(target, { report: { bucketName: "shop-game-days" } });
    target.add(new ServiceDashboard());
    const arn = expect.stringMatching(/^\$\{aws_cloudwatch_dashboard\.Orders_Dashboard_\w+\.dashboard_arn\}$/);
    expect(templateOf(target).experiment_report_configuration.data_sources).toEqual({
      cloudwatch_dashboard: [{ dashboard_arn: arn }],
    });
    expect(lookedAt(target.node.scope)).toEqual([
      ["cloudwatch:GetDashboard", [arn]],
      ["cloudwatch:GetMetricWidgetImage", ["*"]],
    ]);
  });

  it("shows other dashboards in its report, by name, or none", () => {
    const target = orders();
    target.add(new ServiceDashboard());
    const stack = target.node.scope;
    experiment(target, { report: { bucketName: "shop-game-days", dashboards: ["shop-dev"] } }, "Shaken");
    experiment(target, { report: { bucketName: "shop-game-days", dashboards: [] } }, "Other");
    const arn = expect.stringMatching(/^arn:.*:cloudwatch::.*:dashboard\/shop-dev$/);
    const templates: [string, Template][] = Object.entries(
      resources(stack as ServiceStack, "aws_fis_experiment_template"),
    );
    const shown = templates.map(([id, template]) => [id, template.experiment_report_configuration.data_sources]);
    expect(shown).toEqual(
      expect.arrayContaining([
        [expect.stringMatching(/^Shaken_/), { cloudwatch_dashboard: [{ dashboard_arn: arn }] }],
        [expect.stringMatching(/^Other_/), undefined],
      ]),
    );
    expect(lookedAt(stack)[0]).toEqual(["cloudwatch:GetDashboard", [arn]]);
  });

  it("is allowed in production by explicit consent", () => {
    const target = orders(ordersStack(PRODUCTION));
    experiment(target, { environments: ["production"], production: "users may notice" });
    expect(templateOf(target).action[0].action_id).toBe("aws:ecs:stop-task");
  });
});
