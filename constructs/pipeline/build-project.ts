import { CodebuildProject } from "@cdktf/provider-aws/lib/codebuild-project";
import { Construct } from "constructs";
import type { Architecture } from "../core/architecture";
import { type IGrantable, Role, type Statement } from "../core/iam";
import { literal } from "../core/literal";
import { AwsStack } from "../core/stack";
import type { Duration } from "../core/units";
import type { LogStream } from "../logging/log-stream";
import type { Artifacts } from "./artifacts";
import { BUILD_IMAGES, type BuildSpec, buildSpec } from "./commands";

export interface BuildProjectProps {
  /** Suffix of the project's name: `test`, `staging-plan`. */
  readonly name: string;
  readonly spec: BuildSpec;
  readonly artifacts: Artifacts;
  /** Names of the artifacts that builds read. */
  readonly reads: readonly string[];
  /** Names of the artifacts that builds write. @default - none */
  readonly writes?: readonly string[];
  readonly logs: LogStream;
  readonly architecture: Architecture;
  readonly timeout: Duration;
  /** @default - none */
  readonly variables?: Readonly<Record<string, string>>;
  /** Runs a Docker daemon in the build, which gives the build full access to its host. @default false */
  readonly privileged?: boolean;
}

/**
 * A CodeBuild project with its own role. The commands are part of the project rather than a file in the repository, so that
 * a commit cannot change what runs with the role.
 *
 * Costs nothing itself; builds cost about 0.005 USD a minute.
 */
export class BuildProject extends Construct implements IGrantable {
  readonly projectName: string;
  readonly projectArn: string;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: BuildProjectProps) {
    super(scope, id);
    const stack = AwsStack.of(this);
    const { artifacts, logs, spec, variables = {} } = props;
    this.role = new Role(this, "Role", {
      name: `${stack.stackName}-delivery-${props.name}`,
      service: "codebuild.amazonaws.com",
    });
    artifacts.grantBuild(this.role, { reads: props.reads, writes: props.writes ?? [] });
    logs.grants.write(this.role);
    const { image, type } = BUILD_IMAGES[props.architecture];
    const project = new CodebuildProject(this, "Resource", {
      name: stack.physicalName("buildProject", stack.stackName, props.name),
      serviceRole: this.role.roleArn,
      encryptionKey: artifacts.keyArn,
      buildTimeout: props.timeout.toSeconds() / 60,
      artifacts: { type: "CODEPIPELINE" },
      // Shell variables in the commands must not be interpolated by Terraform.
      source: { type: "CODEPIPELINE", buildspec: literal(buildSpec(spec)) },
      environment: {
        computeType: "BUILD_GENERAL1_SMALL",
        image,
        type,
        imagePullCredentialsType: "CODEBUILD",
        privilegedMode: props.privileged ?? false,
        environmentVariable: Object.entries(variables).map(([name, value]) => ({ name, value, type: "PLAINTEXT" })),
      },
      logsConfig: { cloudwatchLogs: { groupName: logs.logGroupName, streamName: props.name } },
    });
    this.projectName = project.name;
    this.projectArn = project.arn;
    this.role.whenPolicy((address) => {
      project.dependsOn = [...(project.dependsOn ?? []), address];
    });
  }

  grant(statement: Statement): void {
    this.role.grant(statement);
  }
}
