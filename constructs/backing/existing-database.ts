import { Construct } from "constructs";
import { checkArguments } from "../core/check-types";
import { Connections } from "../core/connections";
import { Problems } from "../core/errors";
import { literal } from "../core/literal";
import { pascal } from "../core/names";
import { isReference } from "../core/reference";
import { isSecretReference, readsSecrets } from "../core/secrets";
import { AwsStack } from "../core/stack";
import type { BackingHost } from "./host";
import { CONNECTIONS_PER_TASK, checkPool, DATABASE_PORT, type IDatabase } from "./postgres-database-props";

/** Attributes of a PostgreSQL database that is managed outside this app. */
export interface DatabaseAttributes {
  /** DNS name of the server. */
  readonly host: string;
  /** @default 5432 */
  readonly port?: number;
  readonly databaseName: string;
  /** Database user of the app, not the master user. */
  readonly user: string;
  /**
   * ARN of the secret in Secrets Manager that holds the user's password, as JSON with the key `password`. Read for each new
   * connection, so the secret may rotate.
   */
  readonly credentialsArn: string;
  /**
   * Security group of the database. A rule is added to it that allows connections from the service.
   *
   * @default - none: the owner of the database must allow the service, whose outbound rule allows all addresses on the port
   */
  readonly securityGroupId?: string;
  /** @default 5 */
  readonly connectionsPerTask?: number;
}

/**
 * References a PostgreSQL database that is managed outside this app, on any host. `service.use(database)` sets the same
 * variables as for a `PostgresDatabase`, with `PG_CREDENTIALS_ARN` in place of `PG_IAM_ARN`.
 *
 * @example
 * ```ts
 * const database = existingDatabase(stack, "Database", {
 *   host: "orders.example.com",
 *   databaseName: "orders",
 *   user: "orders",
 *   credentialsArn: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders-AbCdEf",
 * });
 * ```
 * @throws InvalidPropsError DATABASE_HOST, DATABASE_PORT, DATABASE_CREDENTIALS, DATABASE_POOL
 */
export function existingDatabase(scope: Construct, id: string, attributes: DatabaseAttributes): IDatabase {
  checkArguments("existingDatabase", { attributes });
  return new ExistingDatabase(scope, id, attributes);
}

class ExistingDatabase extends Construct implements IDatabase {
  readonly databaseName: string;
  readonly #attributes: DatabaseAttributes;

  constructor(scope: Construct, id: string, attributes: DatabaseAttributes) {
    super(scope, id);
    const { host, port = DATABASE_PORT, credentialsArn, connectionsPerTask = CONNECTIONS_PER_TASK } = attributes;
    const problems = new Problems(this);
    problems.check(isReference(host) || /^[A-Za-z0-9.:-]{1,253}$/.test(host), {
      code: "DATABASE_HOST",
      prop: "host",
      problem: `${JSON.stringify(host)} is not a valid DNS name`,
      remedy: "Use only the host name, such as orders.example.com.",
    });
    // Rules for the whole internet are named after their port.
    const portIsFree = isReference(port) && attributes.securityGroupId !== undefined;
    problems.check(portIsFree || (Number.isInteger(port) && port >= 1 && port <= 65535), {
      code: "DATABASE_PORT",
      prop: "port",
      problem: isReference(port)
        ? "must be known at synth without securityGroupId"
        : `must be a TCP port from 1 to 65535, got ${port}`,
      remedy: "Change port, or leave it out for 5432.",
    });
    problems.check(isSecretReference(credentialsArn) && !/:ssm:|:secret:[^:]*:/.test(credentialsArn), {
      code: "DATABASE_CREDENTIALS",
      prop: "credentialsArn",
      problem: "is not the ARN of a secret",
      remedy: "Use arn:aws:secretsmanager:<region>:<account>:secret:<name>.",
    });
    checkPool(problems, connectionsPerTask);
    problems.throwIfAny();
    this.#attributes = attributes;
    this.databaseName = literal(attributes.databaseName);
  }

  get name(): string {
    return this.node.id;
  }

  attach(host: BackingHost): void {
    const {
      host: address,
      port = DATABASE_PORT,
      user,
      credentialsArn,
      securityGroupId,
      connectionsPerTask = CONNECTIONS_PER_TASK,
    } = this.#attributes;
    if (securityGroupId === undefined) host.connections.allowToInternet(port);
    else {
      const there = new Connections(host.scope, "Connections", {
        securityGroupId: literal(securityGroupId),
        defaultPort: port,
      });
      host.connections.allowTo(`Use${pascal(this.name)}`, there);
    }
    for (const [name, value] of Object.entries({
      PGHOST: literal(address),
      PGPORT: literal(String(port)),
      PGDATABASE: this.databaseName,
      PGUSER: literal(user),
      PGSSLMODE: "require",
      PG_CREDENTIALS_ARN: literal(credentialsArn),
      PG_POOL_MAX: String(connectionsPerTask),
    })) {
      host.addEnvironment(name, value);
    }
    const { partition, environment } = AwsStack.of(host.scope);
    const place = { partition, region: environment.region };
    for (const statement of readsSecrets("secretsmanager", place, [literal(credentialsArn)])) host.grant(statement);
  }
}
