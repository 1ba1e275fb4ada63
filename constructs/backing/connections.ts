import type { IConstruct } from "constructs";
import { invalid, warn } from "../core/errors";
import { AwsStack } from "../core/stack";

/** Connections reserved for migrations, for operators and for the database itself. */
const KEPT_FREE = 15;

/**
 * Number of connections that PostgreSQL accepts with this much memory. AWS allows one for each 9531392 bytes available to
 * the database, which is about 70 % of the memory.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.MaxConnections
 */
export function connectionsOf(memoryGiB: number): number {
  return Math.min(5000, Math.floor((0.7 * memoryGiB * 1024 ** 3) / 9_531_392));
}

/** Checks that the tasks of all services together do not exceed the connections of a database. */
export class ConnectionBudget {
  readonly #claims: { readonly who: string; readonly connections: number }[] = [];

  constructor(
    private readonly database: IConstruct,
    private readonly limit: number,
  ) {}

  /** @throws InvalidPropsError DATABASE_CONNECTIONS */
  claim(who: string, tasks: number, connectionsPerTask: number): void {
    this.#claims.push({ who, connections: tasks * connectionsPerTask });
    const free = this.limit - KEPT_FREE;
    const wanted = this.#claims.reduce((sum, { connections }) => sum + connections, 0);
    const list = this.#claims.map((each) => `${each.connections} of ${each.who}`).join(", ");
    if (wanted > free) {
      throw invalid(this.database, {
        code: "DATABASE_CONNECTIONS",
        prop: "capacity",
        problem: `allows about ${free} connections, but the services use ${wanted} at scaling.max: ${list}`,
        remedy: "Use a larger capacity, lower scaling.max, or lower connectionsPerTask.",
      });
    }
    if (AwsStack.of(this.database).production && 2 * wanted > free) {
      warn(this.database, {
        code: "DATABASE_CONNECTIONS_RELEASE",
        prop: "capacity",
        problem: `allows about ${free} connections; during a release at scaling.max there are twice as many tasks, which use ${2 * wanted}: ${list}, and some of them wait`,
        remedy: "Use a larger capacity, or lower scaling.max or connectionsPerTask.",
      });
    }
  }
}
