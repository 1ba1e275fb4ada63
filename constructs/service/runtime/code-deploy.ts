import { CodedeployApp } from "@cdktf/provider-aws/lib/codedeploy-app";
import { CodedeployDeploymentConfig } from "@cdktf/provider-aws/lib/codedeploy-deployment-config";
import { CodedeployDeploymentGroup } from "@cdktf/provider-aws/lib/codedeploy-deployment-group";
import type { EcsService } from "@cdktf/provider-aws/lib/ecs-service";
import { Lazy } from "cdktf";
import { Construct } from "constructs";
import { Role } from "../../core/iam";
import { AwsStack } from "../../core/stack";
import type { TargetShift } from "../add-on";
import type { TrafficShift } from "../deployment/strategy-props";

interface CodeDeploymentProps {
  /** First parts of names: platform, environment, service. */
  readonly fullName: readonly string[];
  readonly clusterName: string;
  readonly service: EcsService;
  readonly shift: TrafficShift;
  readonly target: TargetShift;
  /** Roles that the tasks take: CodeDeploy must be allowed to give them. */
  readonly roleArns: readonly string[];
  /** Names of the alarms that a deployment goes back on; asked for last. */
  readonly alarmNames: () => readonly string[];
}

/**
 * Lets CodeDeploy bring new versions of a service live: an application with one deployment group of the service's name.
 * Free.
 *
 * @see https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-ecs.html
 */
export class CodeDeployment extends Construct {
  /** Both are the service's, literally, for who releases it. */
  readonly names: { readonly application: string; readonly deploymentGroup: string };

  constructor(scope: Construct, id: string, props: CodeDeploymentProps) {
    super(scope, id);
    const { fullName, clusterName, service, shift, target, alarmNames } = props;
    const name = AwsStack.of(this).physicalName("codeDeploy", ...fullName);
    const app = new CodedeployApp(this, "Resource", { name, computePlatform: "ECS" });
    const role = new Role(this, "Role", {
      name: `${fullName.join("-")}-codedeploy`,
      service: "codedeploy.amazonaws.com",
      sendsSourceAccount: false,
    });
    const needed = [role.addManagedPolicy("AWSCodeDeployRoleForECSLimited")];
    role.whenPolicy((address) => needed.push(address));
    // The managed policy lets roles of certain names pass alone.
    role.grant({
      actions: ["iam:PassRole"],
      resources: props.roleArns,
      conditions: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
    });
    const group = new CodedeployDeploymentGroup(this, "Group", {
      appName: app.name,
      deploymentGroupName: name,
      serviceRoleArn: role.roleArn,
      deploymentConfigName: this.#configuration(fullName, shift),
      deploymentStyle: { deploymentType: "BLUE_GREEN", deploymentOption: "WITH_TRAFFIC_CONTROL" },
      ecsService: { clusterName, serviceName: service.name },
      loadBalancerInfo: {
        targetGroupPairInfo: {
          prodTrafficRoute: { listenerArns: [target.listenerArn] },
          targetGroup: target.names.map((groupName) => ({ name: groupName })),
        },
      },
      blueGreenDeploymentConfig: {
        deploymentReadyOption: { actionOnTimeout: "CONTINUE_DEPLOYMENT" },
        terminateBlueInstancesOnDeploymentSuccess: {
          action: "TERMINATE",
          terminationWaitTimeInMinutes: shift.bakeTime.toMinutes(),
        },
      },
      alarmConfiguration: {
        enabled: true,
        alarms: Lazy.listValue({ produce: () => [...alarmNames()].sort() }),
      },
      autoRollbackConfiguration: {
        enabled: true,
        events: ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
      },
    });
    group.dependsOn = needed;
    this.names = { application: name, deploymentGroup: name };
  }

  #configuration(fullName: readonly string[], shift: TrafficShift): string {
    if (shift.kind === "blueGreen") return "CodeDeployDefault.ECSAllAtOnce";
    const { percent } = shift;
    const interval = shift.wait.toMinutes();
    // What is in a configuration cannot be changed, so that another one needs another name.
    const deploymentConfigName = AwsStack.of(this).physicalName(
      "codeDeploy",
      ...fullName,
      shift.kind,
      `${percent}-percent-${interval}-minutes`,
    );
    return new CodedeployDeploymentConfig(this, "Configuration", {
      deploymentConfigName,
      computePlatform: "ECS",
      trafficRoutingConfig:
        shift.kind === "canary"
          ? { type: "TimeBasedCanary", timeBasedCanary: { percentage: percent, interval } }
          : { type: "TimeBasedLinear", timeBasedLinear: { percentage: percent, interval } },
      lifecycle: { createBeforeDestroy: true },
    }).deploymentConfigName;
  }
}
