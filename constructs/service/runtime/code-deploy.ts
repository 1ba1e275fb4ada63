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
  /** Parts of physical names: platform, environment, service. */
  readonly fullName: readonly string[];
  readonly clusterName: string;
  readonly service: EcsService;
  readonly shift: TrafficShift;
  readonly target: TargetShift;
  /** Roles of the tasks, which CodeDeploy must be allowed to pass. */
  readonly roleArns: readonly string[];
  /** Names of the alarms that roll back a deployment. Evaluated last. */
  readonly alarmNames: () => readonly string[];
}

/**
 * Deploys new versions of a service with CodeDeploy: an application with one deployment group, both named after the service.
 * Free.
 *
 * @see https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-ecs.html
 */
export class CodeDeployment extends Construct {
  /** Names of the application and the deployment group, as literals for the release command. */
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
    // The managed policy allows passing only roles with certain names.
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
    // A deployment configuration is immutable, so a different one needs a different name.
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
