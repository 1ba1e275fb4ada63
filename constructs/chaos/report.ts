import { CloudwatchDashboard } from "@cdktf/provider-aws/lib/cloudwatch-dashboard";
import { Lazy } from "cdktf";
import { Construct } from "constructs";
import type { Role } from "../core/iam";
import { literal } from "../core/literal";
import { AwsStack } from "../core/stack";
import type { ExperimentReport, FaultTarget } from "./chaos-experiment-props";

/**
 * Creates the report configuration of an experiment and grants its role write access to the prefix and read access to the
 * dashboards. The dashboards of a target are known once all add-ons are added.
 *
 * @see https://docs.aws.amazon.com/fis/latest/userguide/experiment-report-configuration.html
 */
export function reportOf(
  stack: AwsStack,
  role: Role,
  {
    bucketName,
    prefix,
    dashboards,
    target,
  }: Required<Pick<ExperimentReport, "prefix">> & ExperimentReport & { readonly target: FaultTarget },
) {
  const below = literal(prefix);
  const bucket = literal(bucketName);
  const shown = () => dashboards?.map((name) => arnOf(stack, literal(name))) ?? ownDashboards(stack, target);
  role.grant({
    actions: ["s3:GetObject", "s3:PutObject"],
    resources: [`arn:${stack.partition}:s3:::${bucket}/${below}/*`],
  });
  role.grant({
    actions: ["cloudwatch:GetDashboard"],
    get resources() {
      return shown();
    },
  });
  role.grant({
    actions: ["cloudwatch:GetMetricWidgetImage"],
    get resources() {
      // This call supports no resource-level permissions.
      return shown().length > 0 ? ["*"] : [];
    },
  });
  return {
    configuration: {
      outputs: { s3Configuration: { bucketName: bucket, prefix: below } },
      preExperimentDuration: "PT20M",
      postExperimentDuration: "PT20M",
    },
    dataSources: Lazy.anyValue({
      produce: () => {
        const arns = shown();
        return arns.length === 0 ? undefined : { cloudwatch_dashboard: arns.map((arn) => ({ dashboard_arn: arn })) };
      },
    }),
  };
}

function ownDashboards(stack: AwsStack, target: FaultTarget): string[] {
  if (!(target instanceof Construct)) return [];
  return target.node
    .findAll()
    .filter((node) => node instanceof CloudwatchDashboard)
    .map((dashboard) =>
      // A dashboard of another stack is referenced by name: a reference would couple the two states.
      AwsStack.of(dashboard) === stack ? dashboard.dashboardArn : arnOf(stack, dashboard.dashboardNameInput ?? ""),
    );
}

/** Returns the ARN of a dashboard, which contains no region. */
function arnOf(stack: AwsStack, name: string): string {
  return `arn:${stack.partition}:cloudwatch::${stack.accountId}:dashboard/${name}`;
}
