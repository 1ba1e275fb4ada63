import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import type { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { LambdaFunction } from "@cdktf/provider-aws/lib/lambda-function";
import { LambdaFunctionEventInvokeConfig } from "@cdktf/provider-aws/lib/lambda-function-event-invoke-config";
import { LambdaPermission } from "@cdktf/provider-aws/lib/lambda-permission";
import { Fn } from "cdktf";
import { addCustomSynthesis } from "cdktf/lib/synthesize/synthesizer";
import { Construct } from "constructs";
import { zipSync } from "fflate";
import { Connections } from "../core/connections";
import { Role } from "../core/iam";
import { asArgument, literal } from "../core/literal";
import { isReference } from "../core/reference";
import { SecurityGroup } from "../core/security-group";
import { AwsStack, addressOf } from "../core/stack";
import type { ILogArchive } from "./archive";
import type { OpenSearchDestination } from "./destinations";

/** Folder in a stack's output for function code. */
const FOLDER = "functions";

/** Source of the Lambda function, next to this file. */
const SOURCE = "to-opensearch.mjs";

export interface OpenSearchSenderProps {
  /** Name of the function. */
  readonly name: string;
  readonly destination: OpenSearchDestination;
  /** Prefix of index names. */
  readonly index: string;
  /** Log group whose lines are sent. */
  readonly logGroupName: string;
  /** Archive for batches that failed three times. */
  readonly deadLetters: ILogArchive;
  /** Log group of the function itself. */
  readonly log: CloudwatchLogGroup;
}

/**
 * A Lambda function that receives batches of lines from CloudWatch Logs and stores them in OpenSearch. A failed batch is
 * tried three times within about three minutes and then stored by Lambda as a dead letter.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html#LambdaFunctionExample
 */
export class OpenSearchSender extends Construct {
  readonly functionArn: string;
  /** Address of the permission that must exist before lines are sent. */
  readonly permissionAddress: string;

  constructor(scope: Construct, id: string, props: OpenSearchSenderProps) {
    super(scope, id);
    const stack = AwsStack.of(this);
    const { name, destination, index, log, deadLetters } = props;
    const { endpoint, vpc } = destination;
    const domainArn = literal(destination.domainArn);
    // Lambda does not send its source account when it assumes a role.
    const role = new Role(this, "Role", { name, service: "lambda.amazonaws.com", sendsSourceAccount: false });
    role.grant({ actions: ["es:ESHttpPost"], resources: [`${domainArn}/${index}-*/_bulk`] });
    role.grant({ actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: [`${log.arn}:*`] });
    role.grant({ actions: ["s3:PutObject"], resources: [`${deadLetters.bucketArn}/${deadLetterPrefix(name)}*`] });
    role.grant({ actions: ["s3:ListBucket"], resources: [deadLetters.bucketArn] });
    role.grant({ actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: [deadLetters.keyArn] });
    if (vpc !== undefined) {
      role.grant({
        actions: [
          "ec2:AssignPrivateIpAddresses",
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSubnets",
          "ec2:UnassignPrivateIpAddresses",
        ],
        // These calls support no resource-level permissions.
        resources: ["*"],
      });
    }
    const code = zipped();
    const file = posix.join(FOLDER, SOURCE.replace(/mjs$/, "zip"));
    // TerraformAsset would do this, but it copies files only.
    addCustomSynthesis(this, {
      onSynthesize: ({ outdir, manifest }) => {
        const path = join(outdir, dirname(manifest.forStack(stack).synthesizedStackPath), file);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, code);
      },
    });
    const lambda = new LambdaFunction(this, "Resource", {
      functionName: name,
      description: `Sends lines of ${props.logGroupName} to OpenSearch.`,
      role: role.roleArn,
      filename: file,
      sourceCodeHash: createHash("sha256").update(code).digest("base64"),
      handler: `${SOURCE.replace(/\.mjs$/, "")}.handler`,
      runtime: "nodejs22.x",
      architectures: ["arm64"],
      // A batch is up to 1 MB compressed, and is held in memory decompressed and as documents.
      memorySize: 512,
      timeout: 60,
      environment: {
        variables: {
          ENDPOINT: literal(endpoint),
          INDEX: index,
          REGION: isReference(domainArn)
            ? Fn.element(Fn.split(":", asArgument(domainArn)), 3)
            : (domainArn.split(":")[3] as string),
        },
      },
      vpcConfig: vpc && {
        subnetIds: vpc.vpc.workloadSubnetIds.map(literal),
        securityGroupIds: [this.#wayTo(vpc, name)],
      },
      dependsOn: [log],
    });
    role.whenPolicy((address) => {
      lambda.dependsOn = [...(lambda.dependsOn ?? []), address];
    });
    this.functionArn = lambda.arn;
    const calls = new LambdaFunctionEventInvokeConfig(this, "Calls", {
      functionName: lambda.functionName,
      maximumEventAgeInSeconds: 21_600,
      maximumRetryAttempts: 2,
      destinationConfig: { onFailure: { destination: deadLetters.bucketArn } },
    });
    const permission = new LambdaPermission(this, "Permission", {
      functionName: lambda.functionName,
      action: "lambda:InvokeFunction",
      principal: "logs.amazonaws.com",
      sourceAccount: stack.accountId,
      sourceArn: `${stack.arn("logs", `log-group:${props.logGroupName}`)}:*`,
      dependsOn: [calls],
    });
    this.permissionAddress = addressOf(permission);
  }

  #wayTo({ vpc, securityGroupId }: NonNullable<OpenSearchDestination["vpc"]>, name: string): string {
    const own = new SecurityGroup(this, "SecurityGroup", { vpcId: literal(vpc.vpcId), name });
    const there = new Connections(this, "Domain", { securityGroupId: literal(securityGroupId), defaultPort: 443 });
    own.connections.allowTo("Domain", there);
    return own.connections.securityGroupId;
  }
}

/** Prefix of the dead letters that Lambda writes for a function. @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html */
export function deadLetterPrefix(functionName: string): string {
  return `aws/lambda/async/${functionName}/`;
}

/** Creates a reproducible zip file, so that unchanged code is not deployed again. */
function zipped(): Uint8Array {
  const source = readFileSync(join(__dirname, SOURCE));
  // A timestamp without a time zone, and world-readable permissions: Lambda runs the code as an unprivileged user.
  return zipSync({ [SOURCE]: [source, { mtime: new Date(1980, 0, 1), os: 3, attrs: 0o100644 << 16, level: 9 }] });
}
