import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { IamRolePolicyAttachment } from "@cdktf/provider-aws/lib/iam-role-policy-attachment";
import { Lazy } from "cdktf";
import { Construct } from "constructs";
import { AwsStack, addressOf } from "./stack";

/** One permission: what may be done, to what, under which conditions. */
export interface Statement {
  /** Actions, each in full: `s3:GetObject`. No wildcards. */
  readonly actions: readonly string[];
  /** ARNs. `*` only where AWS has no finer grain; a test holds the list of those. */
  readonly resources: readonly string[];
  /** @default - none */
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** Somebody who can be given permissions. */
export interface IGrantable {
  /** Adds a permission. */
  grant(statement: Statement): void;
}

/**
 * A policy document as canonical JSON: everything sorted, so that it changes only when its meaning does. A statement about
 * nothing, which IAM refuses, is left out: what it is about may be known only at synth.
 */
export function policyDocument(statements: readonly Statement[]): string {
  const about = statements.filter(({ resources }) => resources.length > 0);
  const rendered = about.map((statement) => ({
    Effect: "Allow",
    Action: [...new Set(statement.actions)].sort(),
    Resource: [...new Set(statement.resources)].sort(),
    ...(statement.conditions === undefined ? {} : { Condition: statement.conditions }),
  }));
  const texts = [...new Set(rendered.map((statement) => JSON.stringify(statement)))].sort();
  return `{"Version":"2012-10-17","Statement":[${texts.join(",")}]}`;
}

/** What others may do with a thing, as the policy that AWS keeps with the thing itself. */
export interface ResourceStatement extends Statement {
  /** `Allow` a service of AWS, or `Deny` everybody. */
  readonly effect: "Allow" | "Deny";
  readonly principal: { readonly Service: string } | "*";
  /** Names the statement. */
  readonly sid: string;
}

/** A policy document of a resource as canonical JSON. */
export function resourcePolicy(statements: readonly ResourceStatement[]): string {
  const rendered = statements.map(({ effect, principal, sid, actions, resources, conditions }) => ({
    Sid: sid,
    Effect: effect,
    Principal: principal,
    Action: actions.length === 1 ? actions[0] : [...actions].sort(),
    Resource: resources.length === 1 ? resources[0] : [...resources].sort(),
    ...(conditions === undefined ? {} : { Condition: conditions }),
  }));
  return JSON.stringify({ Version: "2012-10-17", Statement: rendered });
}

/** Refuses everybody who comes without TLS. */
export function onlyByTls(actions: readonly string[], resources: readonly string[]): ResourceStatement {
  return {
    sid: "OnlyByTls",
    effect: "Deny",
    principal: "*",
    actions,
    resources,
    conditions: { Bool: { "aws:SecureTransport": "false" } },
  };
}

/** Whoever shows a token of an identity provider that says exactly this. */
export interface Federated {
  /** ARN of the provider in IAM. */
  readonly providerArn: string;
  /** Claims by their name in IAM, and the values of which the token must have one, letter by letter. */
  readonly claims: Readonly<Record<string, readonly string[]>>;
}

export interface RoleProps {
  /** Name of the role, after the prefix that the environment may demand. What is longer than 64 characters is cut. */
  readonly name: string;
  /** Who acts as the role: an AWS service, as in `ecs-tasks.amazonaws.com`, or who shows a token of an identity provider. */
  readonly service: string | Federated;
  /**
   * Whether the service says in whose name it acts, so that trust can be limited to this account.
   * EC2 and Lambda do not.
   *
   * @default true
   * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
   */
  readonly sendsSourceAccount?: boolean;
}

/**
 * What a part of the system may do in AWS: an IAM role with one inline policy that grows by grants. Free.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html
 */
export class Role extends Construct implements IGrantable {
  readonly roleArn: string;
  readonly roleName: string;
  readonly #statements: Statement[] = [];
  readonly #onPolicy: ((address: string) => void)[] = [];
  #policy: IamRolePolicy | undefined;

  constructor(scope: Construct, id: string, props: RoleProps) {
    super(scope, id);
    const stack = AwsStack.of(this);
    const { permissionsBoundaryArn, rolePath } = stack.environment.guardrails ?? {};
    const role = new IamRole(this, "Resource", {
      name: stack.physicalName("role", props.name),
      path: rolePath,
      permissionsBoundary: permissionsBoundaryArn,
      assumeRolePolicy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          typeof props.service === "string"
            ? {
                Effect: "Allow",
                Principal: { Service: props.service },
                Action: "sts:AssumeRole",
                ...(props.sendsSourceAccount === false
                  ? {}
                  : { Condition: { StringEquals: { "aws:SourceAccount": stack.accountId } } }),
              }
            : {
                Effect: "Allow",
                Principal: { Federated: props.service.providerArn },
                Action: "sts:AssumeRoleWithWebIdentity",
                Condition: { StringEquals: props.service.claims },
              },
        ],
      }),
    });
    this.roleArn = role.arn;
    this.roleName = role.name;
  }

  grant(statement: Statement): void {
    this.#statements.push(statement);
    if (this.#policy !== undefined) return;
    this.#policy = new IamRolePolicy(this, "Policy", {
      name: "grants",
      role: this.roleName,
      policy: Lazy.stringValue({ produce: () => policyDocument(this.#statements) }),
    });
    for (const tell of this.#onPolicy) tell(addressOf(this.#policy));
  }

  /** Attaches a policy that AWS keeps, by its path and name: `AmazonSSMManagedInstanceCore`. Returns the attachment's address. */
  addManagedPolicy(name: string): string {
    return addressOf(
      new IamRolePolicyAttachment(this, name.replace(/^.*\//, ""), {
        role: this.roleName,
        policyArn: `arn:${AwsStack.of(this).partition}:iam::aws:policy/${name}`,
      }),
    );
  }

  /** Calls back with the policy's address, once there is one: for `depends_on` of what needs the permissions to run and to stop. */
  whenPolicy(tell: (address: string) => void): void {
    if (this.#policy === undefined) this.#onPolicy.push(tell);
    else tell(addressOf(this.#policy));
  }
}
