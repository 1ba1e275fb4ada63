import type { EcsService } from "@cdktf/provider-aws/lib/ecs-service";

import type { Construct } from "constructs";
import { invalid, validateAtSynth, warn } from "../../core/errors";
import { Role } from "../../core/iam";
import type { Target, TargetShift } from "../add-on";
import { deploymentCall, timesTooShort } from "../deployment/strategy-props";
import { STRATEGY_TABLE } from "../deployment/strategy-support";
import type { Monitoring } from "../monitoring/monitoring";
import type { ServiceContext } from "../props";
import { CodeDeployment } from "../runtime/code-deploy";

interface TargetsProps {
  /** ECS service; undefined for a job. */
  readonly service: EcsService | undefined;
  /** Roles of the tasks. */
  readonly roleArns: readonly string[];
  readonly monitoring: Monitoring;
  /** Reports at synth whether the service takes part in Service Connect. */
  readonly connected: () => boolean;
}

/** Target groups that the tasks of a service join, and the resources that shift traffic between them. */
export class Targets {
  /** Addresses that must exist before tasks start: listener rules and the permission to change them. */
  readonly dependencies: string[] = [];

  readonly #scope: Construct;
  readonly #context: ServiceContext;
  readonly #props: TargetsProps;
  readonly #targets: Target[] = [];
  #shiftRoleArn: string | undefined;
  #codeDeployment: CodeDeployment | undefined;

  constructor(scope: Construct, context: ServiceContext, props: TargetsProps) {
    this.#scope = scope;
    this.#context = context;
    this.#props = props;
    if (props.service === undefined) return;
    this.#warnOfShortTimes();
    this.#validateShift();
  }

  /** Target groups added so far. */
  get list(): readonly Target[] {
    return this.#targets;
  }

  /** ARN of the role that ECS assumes to shift traffic between target groups. */
  get shiftRoleArn(): string | undefined {
    return this.#shiftRoleArn;
  }

  /** Names in CodeDeploy; undefined if ECS itself deploys. */
  get codeDeploy(): CodeDeployment["names"] | undefined {
    return this.#codeDeployment?.names;
  }

  /** @throws InvalidPropsError TARGET_OF_NO_WEB, STRATEGY_TARGETS */
  add(target: Target): void {
    const { process, deployment } = this.#context.settings;
    const { service, monitoring } = this.#props;
    if (service === undefined || process.kind !== "web") {
      throw invalid(this.#scope, {
        code: "TARGET_OF_NO_WEB",
        prop: "process",
        problem: `must be web() to receive requests, got ${process.kind}()`,
        remedy: "Use process: web().",
      });
    }
    if (STRATEGY_TABLE[deployment.kind].twoGroups && (target.shift === undefined || this.#targets.length > 0)) {
      throw invalid(this.#scope, {
        code: "STRATEGY_TARGETS",
        prop: "deployment",
        problem: `${deploymentCall(deployment)} shifts traffic between the two target groups of exactly one Ingress`,
        remedy: "Add one Ingress and no other target, or use rolling().",
      });
    }
    this.#targets.push(target);
    this.dependencies.push(...target.dependsOn);
    if (this.#targets.length > 1) return;
    if (target.shift !== undefined) this.#shift(service, target.shift);
    monitoring.watchRequests();
  }

  /** Creates the resources that shift traffic from one target group to the other. */
  #shift(service: EcsService, target: TargetShift): void {
    const { stack, settings, fullName } = this.#context;
    const { deployment } = settings;
    if (deployment.kind === "codeDeploy") {
      this.#codeDeployment = new CodeDeployment(this.#scope, "CodeDeploy", {
        fullName,
        clusterName: stack.cluster.clusterName,
        service,
        shift: deployment.shift,
        target,
        roleArns: this.#props.roleArns,
        alarmNames: () => this.#props.monitoring.rollbackAlarmNames,
      });
      return;
    }
    const role = new Role(this.#scope, "ShiftRole", {
      name: `${fullName.join("-")}-shift`,
      service: "ecs.amazonaws.com",
      sendsSourceAccount: false,
    });
    this.#shiftRoleArn = role.roleArn;
    this.dependencies.push(role.addManagedPolicy("AmazonECSInfrastructureRolePolicyForLoadBalancers"));
  }

  #warnOfShortTimes(): void {
    const { deployment } = this.#context.settings;
    const short = timesTooShort(deployment);
    if (short.length === 0) return;
    warn(this.#scope, {
      code: "DEPLOYMENT_TOO_SHORT",
      prop: "deployment",
      problem: `${deploymentCall(deployment)}: ${short.join(" and ")} ends before an alarm can fire, two minutes after requests begin to fail`,
      remedy: "Use at least 3 minutes.",
    });
  }

  /** Refuses a deployment that has no traffic to shift, at synth, when all add-ons are present. */
  #validateShift(): void {
    const { deployment, process } = this.#context.settings;
    const { verdict, note } = STRATEGY_TABLE[deployment.kind].internal;
    if (process.kind !== "web" || verdict === "yes") return;
    const byConnect = verdict === "connect";
    validateAtSynth(this.#scope, () =>
      this.#targets.length > 0 || (byConnect && this.#props.connected())
        ? []
        : [
            {
              code: "STRATEGY_NEEDS_INGRESS",
              prop: "deployment",
              problem: `${deploymentCall(deployment)} needs requests to shift: ${note}`,
              remedy: `Add an Ingress${byConnect ? ", set connect: true" : ""}, or use rolling().`,
            },
          ],
    );
  }
}
