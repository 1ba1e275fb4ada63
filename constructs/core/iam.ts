import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { IamRolePolicyAttachment } from "@cdktf/provider-aws/lib/iam-role-policy-attachment";
import { Lazy } from "cdktf";
import { Construct } from "constructs";
import { BOOTSTRAP_BOUNDARY, boundaryOf, isWithinBoundary } from "../../contract/boundary";
import { partitionOf } from "../../contract/partition";
import { type Problem, validateAtSynth } from "./errors";
import { jsonText, markValues } from "./literal";
import { AwsStack, addressOf } from "./stack";
import type { Duration } from "./units";

/** A statement of an IAM policy that allows actions on resources, under conditions. */
export interface Statement {
  /** Actions in full: `s3:GetObject`. No wildcards. */
  readonly actions: readonly string[];
  /** ARNs. `*` only for actions that have no resource-level permissions; a test lists those. */
  readonly resources: readonly string[];
  /** @default - none */
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** A principal that permissions can be granted to. */
export interface IGrantable {
  /** Grants a permission. */
  grant(statement: Statement): void;
}

/**
 * Renders a policy document as canonical, sorted JSON, so that it changes only when its meaning does. Statements with equal
 * actions and conditions become one, since IAM limits the size of a role's policies. Leaves out statements without resources,
 * which IAM refuses; some resources are known only at synth.
 */
export function policyDocument(statements: readonly Statement[], Effect: "Allow" | "Deny" = "Allow"): string {
  const merged = new Map<
    string,
    { readonly Action: string[]; readonly Resource: Set<string>; readonly Condition?: object }
  >();
  for (const { actions, resources, conditions } of statements) {
    if (resources.length === 0) continue;
    const Action = [...new Set(actions)].sort();
    const key = JSON.stringify([Action, conditions]);
    const statement = merged.get(key) ?? {
      Action,
      Resource: new Set(),
      ...(conditions === undefined ? {} : { Condition: conditions }),
    };
    merged.set(key, statement);
    for (const resource of resources) statement.Resource.add(resource);
  }
  const texts = [...merged.values()]
    .map(({ Action, Resource, Condition }) =>
      jsonText({ Effect, Action, Resource: [...Resource].sort(), ...(Condition && { Condition }) }, markValues),
    )
    .sort();
  return `{"Version":"2012-10-17","Statement":[${texts.join(",")}]}`;
}

/** A statement of a resource-based policy. */
export interface ResourceStatement extends Statement {
  /** `Allow` for an AWS service, or `Deny` for everyone. */
  readonly effect: "Allow" | "Deny";
  readonly principal: { readonly Service: string } | "*";
  /** Id of the statement. */
  readonly sid: string;
}

/** Renders a resource-based policy as canonical JSON. */
export function resourcePolicy(statements: readonly ResourceStatement[]): string {
  const rendered = statements.map(({ effect, principal, sid, actions, resources, conditions }) => ({
    Sid: sid,
    Effect: effect,
    Principal: principal,
    Action: actions.length === 1 ? actions[0] : [...actions].sort(),
    Resource: resources.length === 1 ? resources[0] : [...resources].sort(),
    ...(conditions === undefined ? {} : { Condition: conditions }),
  }));
  return jsonText({ Version: "2012-10-17", Statement: rendered }, markValues);
}

/** Denies requests that do not use TLS. */
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

/** A principal that presents a token of an OIDC identity provider with matching claims. */
export interface Federated {
  /** ARN of the identity provider in IAM. */
  readonly providerArn: string;
  /** Claims by their IAM condition key, each with the values that the token may have. Values must match exactly. */
  readonly claims: Readonly<Record<string, readonly string[]>>;
}

/** An IAM role or user that assumes the role, such as the instance role of build agents. */
export interface IamPrincipal {
  readonly principalArn: string;
}

/**
 * A role of another account. It is compared by name, so that the two roles can be created in any order: IAM refuses a principal that does
 * not exist.
 */
export interface RemoteRole {
  readonly roleArn: string;
}

type Trusted = Federated | IamPrincipal | RemoteRole;

function trustStatement(trusted: Trusted): object {
  if ("providerArn" in trusted) {
    return {
      Effect: "Allow",
      Principal: { Federated: trusted.providerArn },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: { StringEquals: trusted.claims },
    };
  }
  return "principalArn" in trusted
    ? { Effect: "Allow", Principal: { AWS: trusted.principalArn }, Action: "sts:AssumeRole" }
    : { Effect: "Allow", ...onlyRole(trusted.roleArn), Action: "sts:AssumeRole" };
}

/** Principal and condition of a statement for a role of another account. */
export function onlyRole(roleArn: string) {
  return {
    Principal: { AWS: roleArn.replace(/:role\/.*/, ":root") },
    Condition: { StringEquals: { "aws:PrincipalArn": roleArn } },
  };
}

/** ARN of a role by its name, as text, for policies of another account, whose stacks cannot refer to the role. */
export function roleArnOf(stack: AwsStack, name: string): string {
  const { region, guardrails: { rolePath = "/" } = {} } = stack.environment;
  return `arn:${partitionOf(region)}:iam::${stack.accountId}:role${rolePath}${stack.physicalName("role", name)}`;
}

export interface RoleProps {
  /** Name of the role, after the environment's name prefix. Shortened to 64 characters. */
  readonly name: string;
  /** Principals that assume the role: an AWS service, such as `ecs-tasks.amazonaws.com`, or others of which each is trusted. */
  readonly service: string | readonly Trusted[];
  /**
   * Limits the trust policy to this account, which works for services that send `aws:SourceAccount`. EC2 and Lambda do not.
   *
   * @default true
   * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
   */
  readonly sendsSourceAccount?: boolean;
  /**
   * Maximum duration of a session, which a caller that assumes the role may ask for; 1 to 12 hours.
   *
   * @default - 1 hour
   */
  readonly maxSession?: Duration;
}

/**
 * An IAM role with one inline policy, which grows with each grant. Free.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html
 */
export class Role extends Construct implements IGrantable {
  readonly roleArn: string;
  readonly roleName: string;
  readonly #name: string;
  readonly #statements: Statement[] = [];
  readonly #onPolicy: ((address: string) => void)[] = [];
  #policy: IamRolePolicy | undefined;

  constructor(scope: Construct, id: string, props: RoleProps) {
    super(scope, id);
    const stack = AwsStack.of(this);
    const { environment } = stack;
    const role = new IamRole(this, "Resource", {
      name: stack.physicalName("role", props.name),
      path: environment.guardrails?.rolePath,
      permissionsBoundary: boundaryOf(environment),
      maxSessionDuration: props.maxSession?.toSeconds(),
      assumeRolePolicy: jsonText({
        Version: "2012-10-17",
        Statement:
          typeof props.service === "string"
            ? [
                {
                  Effect: "Allow",
                  Principal: { Service: props.service },
                  Action: "sts:AssumeRole",
                  ...(props.sendsSourceAccount === false
                    ? {}
                    : { Condition: { StringEquals: { "aws:SourceAccount": stack.accountId } } }),
                },
              ]
            : props.service.map(trustStatement),
      }),
    });
    this.#name = props.name;
    this.roleArn = role.arn;
    this.roleName = role.name;
    if (environment.guardrails?.permissionsBoundary === BOOTSTRAP_BOUNDARY) {
      validateAtSynth(this, () => this.#beyondBoundary(environment.name));
    }
  }

  /** ARN as text: see {@link roleArnOf}. */
  arnAsText(): string {
    return roleArnOf(AwsStack.of(this), this.#name);
  }

  /** Finds granted actions that the boundary denies in any case. */
  #beyondBoundary(environment: string): Problem[] {
    const actions = this.#statements.flatMap((statement) => statement.actions);
    const denied = [...new Set(actions)].filter((action) => !isWithinBoundary(action)).sort();
    if (denied.length === 0) return [];
    return [
      {
        code: "ROLE_BEYOND_BOUNDARY",
        prop: "actions",
        problem: `must be allowed by the permissions boundary of ${environment}, which has no ${denied.join(", ")}`,
        remedy: "Grant other actions, or set the ARN of your own policy in guardrails.permissionsBoundary.",
      },
    ];
  }

  grant(statement: Statement): void {
    this.#statements.push(statement);
    if (this.#policy !== undefined) return;
    this.#policy = this.addPolicy("Policy", "grants", () => this.#statements);
    for (const tell of this.#onPolicy) tell(addressOf(this.#policy));
  }

  /** Adds an inline policy of its own. Its statements are evaluated at synth, since stacks and services may be added later. */
  addPolicy(id: string, name: string, statements: () => readonly Statement[]): IamRolePolicy {
    return new IamRolePolicy(this, id, {
      name,
      role: this.roleName,
      policy: Lazy.stringValue({ produce: () => policyDocument(statements()) }),
    });
  }

  /**
   * Attaches an AWS managed policy by its path and name: `AmazonSSMManagedInstanceCore`. Returns the address of the
   * attachment.
   */
  addManagedPolicy(name: string): string {
    return addressOf(
      new IamRolePolicyAttachment(this, name.replace(/^.*\//, ""), {
        role: this.roleName,
        policyArn: `arn:${AwsStack.of(this).partition}:iam::aws:policy/${name}`,
      }),
    );
  }

  /**
   * Calls back with the address of the policy once it exists, for the `depends_on` of resources that need the permissions.
   */
  whenPolicy(tell: (address: string) => void): void {
    if (this.#policy === undefined) this.#onPolicy.push(tell);
    else tell(addressOf(this.#policy));
  }
}
