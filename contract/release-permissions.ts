import { lockParameter, processesPath, type ReleasePlace, recordParameter } from "./release";

/** Statement of an IAM policy. */
export interface Permission {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** Location of the services to release. */
export interface ReleaseScope extends ReleasePlace {
  /** `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition: string;
  readonly region: string;
  /** Id of the account. */
  readonly account: string;
  /** Name of the cluster. */
  readonly cluster: string;
}

/** Service to permit releases or admin processes for. Names, not ARNs, because they are known before the first apply. */
export interface ReleasedProcess {
  /** Owner of its releases: with Terraform, only its admin processes are permitted. */
  readonly owner: "pipeline" | "terraform";
  readonly family: string;
  /** Name of the ECS service; a job has none. */
  readonly service?: string;
  /** Name of the schedule in the default group, with the role that starts its tasks. */
  readonly schedule?: { readonly name: string; readonly role: string };
  /** Names, with path, of the roles that its tasks have. */
  readonly roles: readonly string[];
  /** True if it has admin processes, such as `migrate`. */
  readonly admin: boolean;
  /** Name of the log group; `*` where it is not known. */
  readonly logGroup: string;
  readonly codeDeploy?: { readonly application: string; readonly deploymentGroup: string };
}

/**
 * Exactly what `antifragile release`, `rollback`, `migrate`, `releases` and `admin` do to the services of one stack, and to
 * no others. A test compares it with what they call.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
 */
export function releasePermissions(scope: ReleaseScope, processes: readonly ReleasedProcess[]): Permission[] {
  const { partition, region, account, cluster } = scope;
  const arn = (service: string, rest: string) => `arn:${partition}:${service}:${region}:${account}:${rest}`;
  const parameter = (name: string) => arn("ssm", `parameter${name}`);
  const roleArn = (name: string) => `arn:${partition}:iam::${account}:role/${name}`;
  const family = (name: string) => arn("ecs", `task-definition/${name}:*`);
  const tasks = arn("ecs", `task/${cluster}/*`);
  const inCluster = { ArnEquals: { "ecs:cluster": arn("ecs", `cluster/${cluster}`) } };

  const released = processes.filter(({ owner }) => owner === "pipeline");
  const served = processes.filter(({ service }) => service !== undefined);
  // The last lines are printed when a release fails.
  const watched = released.filter(({ service }) => service !== undefined);
  const moved = released.filter(({ service, codeDeploy }) => service !== undefined && codeDeploy === undefined);
  const scheduled = processes.flatMap(({ schedule, owner }) =>
    schedule === undefined ? [] : [{ ...schedule, owner }],
  );
  const rescheduled = scheduled.filter(({ owner }) => owner === "pipeline");
  const withAdmin = processes.filter(({ admin }) => admin);
  const shifted = released.flatMap(({ codeDeploy }) => codeDeploy ?? []);
  const service = ({ service: name }: ReleasedProcess) => arn("ecs", `service/${cluster}/${name}`);
  const schedule = ({ name }: { readonly name: string }) => arn("scheduler", `schedule/default/${name}`);

  const permissions: Permission[] = [
    {
      actions: ["ssm:GetParametersByPath"],
      resources: [parameter(processesPath(scope)), parameter(`${processesPath(scope)}/*`)],
    },
    {
      actions: ["ssm:GetParameter", "ssm:GetParameterHistory", "ssm:PutParameter"],
      resources: released.length === 0 ? [] : [parameter(recordParameter(scope))],
    },
    {
      actions: ["ssm:DeleteParameter", "ssm:GetParameter", "ssm:PutParameter"],
      resources: released.length === 0 ? [] : [parameter(lockParameter(scope))],
    },
    { actions: ["ecs:DescribeServices"], resources: served.map(service) },
    { actions: ["ecs:UpdateService"], resources: moved.map(service) },
    { actions: ["scheduler:GetSchedule"], resources: scheduled.map(schedule) },
    { actions: ["scheduler:UpdateSchedule"], resources: rescheduled.map(schedule) },
    // A task definition is read, and written, before it has an ARN that could be named; what it may be is bounded by PassRole.
    { actions: ["ecs:DescribeTaskDefinition"], resources: processes.length === 0 ? [] : ["*"] },
    { actions: ["ecs:RegisterTaskDefinition"], resources: released.length === 0 ? [] : ["*"] },
    {
      actions: ["ecs:TagResource"],
      resources: released.map((each) => family(each.family)),
      conditions: { StringEquals: { "ecs:CreateAction": "RegisterTaskDefinition" } },
    },
    {
      actions: ["iam:PassRole"],
      resources: [...released, ...withAdmin].flatMap(({ roles }) => roles.map(roleArn)),
      conditions: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
    },
    {
      actions: ["iam:PassRole"],
      resources: rescheduled.map(({ role }) => roleArn(role)),
      conditions: { StringEquals: { "iam:PassedToService": "scheduler.amazonaws.com" } },
    },
    { actions: ["ecs:RunTask"], resources: withAdmin.map((each) => family(each.family)), conditions: inCluster },
    {
      actions: ["ecs:TagResource"],
      resources: withAdmin.length === 0 ? [] : [tasks],
      conditions: { StringEquals: { "ecs:CreateAction": "RunTask" } },
    },
    { actions: ["ecs:StopTask"], resources: withAdmin.length === 0 ? [] : [tasks], conditions: inCluster },
    // Tasks have no names before they run.
    { actions: ["ecs:ListTasks"], resources: watched.length === 0 ? [] : ["*"], conditions: inCluster },
    {
      actions: ["ecs:DescribeTasks"],
      resources: watched.length + withAdmin.length === 0 ? [] : [tasks],
      conditions: inCluster,
    },
    {
      actions: ["logs:GetLogEvents"],
      resources: [...watched, ...withAdmin].map(({ logGroup }) => arn("logs", `log-group:${logGroup}:log-stream:*`)),
    },
    {
      actions: ["codedeploy:CreateDeployment", "codedeploy:GetDeployment"],
      resources: shifted.map(({ application, deploymentGroup }) =>
        arn("codedeploy", `deploymentgroup:${application}/${deploymentGroup}`),
      ),
    },
    // AWS lists no resource type for this call.
    {
      actions: ["codedeploy:StopDeployment"],
      resources: shifted.length === 0 ? [] : ["*"],
      conditions: { StringEquals: { "aws:RequestedRegion": region } },
    },
    {
      actions: ["codedeploy:GetApplicationRevision", "codedeploy:RegisterApplicationRevision"],
      resources: shifted.map(({ application }) => arn("codedeploy", `application:${application}`)),
    },
    {
      actions: ["codedeploy:GetDeploymentConfig"],
      resources: shifted.length === 0 ? [] : [arn("codedeploy", "deploymentconfig:*")],
    },
  ];
  return permissions
    .filter(({ resources }) => resources.length > 0)
    .map((permission) => ({ ...permission, resources: [...new Set(permission.resources)] }));
}
