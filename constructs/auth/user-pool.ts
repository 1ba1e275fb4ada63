import { CognitoUserPool } from "@cdktf/provider-aws/lib/cognito-user-pool";
import { CognitoUserPoolClient } from "@cdktf/provider-aws/lib/cognito-user-pool-client";
import { CognitoUserPoolDomain } from "@cdktf/provider-aws/lib/cognito-user-pool-domain";
import { Fn, Token } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { checkArguments } from "../core/check-types";
import { Problems, warn } from "../core/errors";
import { literal } from "../core/literal";
import { kebab, physicalName } from "../core/names";
import { ImportedContract, PublishedContract, userPoolParameter } from "../core/parameter-contract";
import { AwsStack } from "../core/stack";
import type { Authentication } from "../load-balancer/authentication";
import { callbackUrls, checkSignIn, type SignInOptions, signInAction } from "./sign-in";

export const MFA = ["required", "optional", "off"] as const;
/** Multi-factor authentication with an authenticator app. */
export type Mfa = (typeof MFA)[number];

export interface UserPoolProps {
  /**
   * Multi-factor authentication with an authenticator app.
   *
   * @default "required"
   */
  readonly mfa?: Mfa;
  /**
   * Allows users to sign up themselves; otherwise an administrator creates accounts.
   *
   * @default false
   */
  readonly selfSignUp?: boolean;
  /**
   * Minimum length of passwords, 12 to 99 characters. Passwords need lowercase and uppercase letters, digits and symbols.
   *
   * @default 12
   */
  readonly passwordLength?: number;
  /**
   * Blocks sign-ins that look like an attack, and compromised passwords. The Plus plan of Cognito costs 0.02 USD a month for
   * each active user.
   *
   * @default false, and true in profile `strict`
   */
  readonly threatProtection?: boolean;
  /**
   * Prefix of the domain of the sign-in page, unique within an AWS region.
   *
   * @default - derived from the stack, the id and the account
   */
  readonly domainPrefix?: string;
}

/** A user pool, created by this app or imported. */
export interface IUserPool extends IConstruct {
  readonly userPoolArn: string;
  readonly userPoolId: string;
  /** Prefix of the domain of its sign-in page. */
  readonly userPoolDomain: string;
  /** `iss` of its tokens. */
  readonly issuer: string;
  /** Authenticates users of the pool on an Ingress. */
  signIn(options?: SignInOptions): Authentication;
}

/** Attributes of a user pool of another stack. */
export interface UserPoolAttributes {
  readonly userPoolArn: string;
  readonly userPoolId: string;
  /** Prefix of the domain of its sign-in page. */
  readonly userPoolDomain: string;
}

abstract class UserPoolBase extends Construct implements IUserPool {
  abstract readonly userPoolArn: string;
  abstract readonly userPoolId: string;
  abstract readonly userPoolDomain: string;

  get issuer(): string {
    return `https://cognito-idp.${AwsStack.of(this).environment.region}.amazonaws.com/${this.userPoolId}`;
  }

  /** Returns the attributes of the pool for use in another stack. */
  protected abstract seenFrom(scope: Construct): UserPoolAttributes;

  signIn(options: SignInOptions = {}): Authentication {
    return {
      publicPaths: options.publicPaths ?? [],
      redirects: true,
      check: (problems) => checkSignIn(problems, options),
      bind: (scope, { serviceName, hosts }) => {
        const { userPoolArn, userPoolId, userPoolDomain } = this.seenFrom(scope);
        const client = new CognitoUserPoolClient(scope, "Client", {
          userPoolId,
          name: serviceName,
          // The app client of the load balancer. AWS passes its secret from Cognito to the load balancer.
          generateSecret: true,
          allowedOauthFlowsUserPoolClient: true,
          allowedOauthFlows: ["code"],
          allowedOauthScopes: ["openid", "email"],
          callbackUrls: callbackUrls(hosts),
          supportedIdentityProviders: ["COGNITO"],
          explicitAuthFlows: ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"],
          preventUserExistenceErrors: "ENABLED",
          enableTokenRevocation: true,
        });
        warn(scope, {
          code: "SECRET_IN_STATE",
          prop: "auth",
          problem:
            "stores the client secret that Cognito generates in this stack's Terraform state, because its API returns it",
          remedy: "Encrypt the state and limit who reads it.",
        });
        return {
          type: "authenticate-cognito",
          authenticateCognito: {
            userPoolArn,
            userPoolClientId: client.id,
            userPoolDomain,
            scope: "openid email",
            ...signInAction(serviceName, options),
          },
        };
      },
    };
  }
}

/**
 * An Amazon Cognito user pool with a sign-in page. By default passwords are long, multi-factor authentication is required,
 * and users cannot sign up themselves.
 *
 * The first 10,000 users a month are free, further ones cost 0.015 USD each. Cognito itself sends up to 50 emails a day.
 *
 * @example
 * ```ts
 * const people = new UserPool(platform, "People");
 * orders.add(new Ingress({ hosts: ["orders.example.com"], auth: people.signIn({ publicPaths: ["/status"] }) }));
 * ```
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools.html
 */
export class UserPool extends UserPoolBase {
  /** References a user pool of another stack, which must have a domain. */
  static fromAttributes(scope: Construct, id: string, attributes: UserPoolAttributes): IUserPool {
    checkArguments("UserPool.fromAttributes", { attributes });
    return new ImportedUserPool(scope, id, attributes);
  }

  readonly userPoolArn: string;
  readonly userPoolId: string;
  readonly userPoolDomain: string;
  readonly #parameter: string;

  /** @throws InvalidPropsError USER_POOL_MFA, USER_POOL_PASSWORD, USER_POOL_DOMAIN */
  constructor(scope: Construct, id: string, props: UserPoolProps = {}) {
    super(scope, id);
    checkArguments("new UserPool", { props }, this);
    checkUserPool(this, props);
    const stack = AwsStack.of(this);
    const { environment, production, stackName } = stack;
    const name = kebab(id);
    const { mfa = "required", selfSignUp = false, threatProtection = stack.defaults.judgedSignIns } = props;
    const pool = new CognitoUserPool(this, "Resource", {
      name: stack.physicalName("userPool", stackName, environment.name, name),
      usernameAttributes: ["email"],
      usernameConfiguration: { caseSensitive: false },
      autoVerifiedAttributes: ["email"],
      userAttributeUpdateSettings: { attributesRequireVerificationBeforeUpdate: ["email"] },
      accountRecoverySetting: { recoveryMechanism: [{ name: "verified_email", priority: 1 }] },
      adminCreateUserConfig: { allowAdminCreateUserOnly: !selfSignUp },
      passwordPolicy: {
        minimumLength: props.passwordLength ?? 12,
        requireLowercase: true,
        requireUppercase: true,
        requireNumbers: true,
        requireSymbols: true,
        temporaryPasswordValidityDays: 7,
      },
      mfaConfiguration: { required: "ON", optional: "OPTIONAL", off: "OFF" }[mfa],
      softwareTokenMfaConfiguration: mfa === "off" ? undefined : { enabled: true },
      userPoolTier: threatProtection ? "PLUS" : "ESSENTIALS",
      userPoolAddOns: threatProtection ? { advancedSecurityMode: "ENFORCED" } : undefined,
      deletionProtection: production ? "ACTIVE" : "INACTIVE",
    });
    if (production && mfa === "off") {
      warn(this, {
        code: "USER_POOL_NO_MFA",
        prop: "mfa",
        problem: 'is "off": a leaked password is enough to sign in',
        remedy: 'Use "required" or "optional".',
      });
    }
    const domain = new CognitoUserPoolDomain(this, "Domain", {
      userPoolId: pool.id,
      domain: props.domainPrefix ?? `${defaultDomain(this)}-${this.#accountHash(stack)}`,
    });
    this.userPoolArn = pool.arn;
    this.userPoolId = pool.id;
    this.userPoolDomain = domain.domain;
    this.#parameter = userPoolParameter(environment.name, stackName, name);
    new PublishedContract(this, "Contract", {
      name: this.#parameter,
      value: { userPoolArn: pool.arn, userPoolId: pool.id, userPoolDomain: domain.domain } satisfies UserPoolAttributes,
    });
  }

  /** Hashes the account id, to keep it out of public domain names. */
  #accountHash(stack: AwsStack): string {
    return Token.asString(Fn.substr(Fn.sha256(stack.accountId), 0, 8));
  }

  protected seenFrom(scope: Construct): UserPoolAttributes {
    const [here, there] = [AwsStack.of(this), AwsStack.of(scope)];
    if (here === there) return this;
    there.addDependency(here);
    const pool = new ImportedContract(scope, "UserPool", { name: this.#parameter });
    return {
      userPoolArn: pool.text("userPoolArn"),
      userPoolId: pool.text("userPoolId"),
      userPoolDomain: pool.text("userPoolDomain"),
    };
  }
}

function defaultDomain(scope: IConstruct): string {
  const { stackName, environment } = AwsStack.of(scope);
  return physicalName("userPoolDomain", stackName, environment.name, kebab(scope.node.id));
}

function checkUserPool(scope: IConstruct, props: UserPoolProps): void {
  const { mfa, passwordLength = 12, domainPrefix = defaultDomain(scope) } = props;
  const problems = new Problems(scope);
  if (mfa !== undefined) problems.checkOneOf(mfa, MFA, { code: "USER_POOL_MFA", prop: "mfa" });
  problems.check(Number.isInteger(passwordLength) && passwordLength >= 12 && passwordLength <= 99, {
    code: "USER_POOL_PASSWORD",
    prop: "passwordLength",
    problem: `must be a whole number from 12 to 99, got ${passwordLength}`,
    remedy: "Use a length such as 12.",
  });
  problems.check(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(domainPrefix) && !/aws|amazon|cognito/.test(domainPrefix),
    {
      code: "USER_POOL_DOMAIN",
      prop: "domainPrefix",
      problem: `${JSON.stringify(domainPrefix)} is not a valid domain prefix`,
      remedy: "Set it to up to 63 lowercase letters, digits and hyphens, without the words aws, amazon and cognito.",
    },
  );
  problems.throwIfAny();
}

class ImportedUserPool extends UserPoolBase {
  readonly userPoolArn: string;
  readonly userPoolId: string;
  readonly userPoolDomain: string;

  constructor(scope: Construct, id: string, attributes: UserPoolAttributes) {
    super(scope, id);
    this.userPoolArn = literal(attributes.userPoolArn);
    this.userPoolId = literal(attributes.userPoolId);
    this.userPoolDomain = literal(attributes.userPoolDomain);
  }

  protected seenFrom(): UserPoolAttributes {
    return this;
  }
}
