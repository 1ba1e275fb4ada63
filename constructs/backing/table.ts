import { DynamodbTable } from "@cdktf/provider-aws/lib/dynamodb-table";
import { Construct, type IConstruct } from "constructs";
import { endpointOf } from "../../contract/partition";
import { arnParts } from "../core/arn";
import { checkArguments } from "../core/check-types";
import { invalid, Problems } from "../core/errors";
import type { IGrantable, Statement } from "../core/iam";
import { literal } from "../core/literal";
import { sharedArn } from "../core/per-stack";
import { AwsStack } from "../core/stack";
import type { BackingHost, BackingService } from "./host";
import { backingName, comesFirst, dataKeyArnOf, dataStackOf, healthAlarm } from "./place";

/**
 * A DynamoDB table, created by this app or managed outside it. `service.use(table)` sets `TABLE_NAME` and grants read and
 * write access.
 */
export interface ITable extends IConstruct, BackingService {
  readonly tableArn: string;
  readonly tableName: string;
  readonly grants: TableGrants;
}

/** Permissions on a table and its indexes: `table.grants.read(report)`. */
export class TableGrants {
  constructor(
    private readonly tableArn: string,
    /** Use of the table's key in the name of the caller; undefined if AWS manages the key. */
    private readonly keyUse?: Statement,
  ) {}

  /** Grants permission to read items. */
  read(grantee: IGrantable): void {
    checkArguments("TableGrants.read", { grantee });
    this.#grant(grantee, [
      "dynamodb:BatchGetItem",
      "dynamodb:ConditionCheckItem",
      "dynamodb:DescribeTable",
      "dynamodb:GetItem",
      "dynamodb:Query",
      "dynamodb:Scan",
    ]);
  }

  /** Grants permission to put, update and delete items. */
  write(grantee: IGrantable): void {
    checkArguments("TableGrants.write", { grantee });
    this.#grant(grantee, [
      "dynamodb:BatchWriteItem",
      "dynamodb:DeleteItem",
      "dynamodb:DescribeTable",
      "dynamodb:PutItem",
      "dynamodb:UpdateItem",
    ]);
  }

  #grant(grantee: IGrantable, actions: readonly string[]): void {
    grantee.grant({ actions, resources: [this.tableArn, `${this.tableArn}/index/*`] });
    if (this.keyUse !== undefined) grantee.grant(this.keyUse);
  }
}

/**
 * Use of the key of a table, which DynamoDB decrypts in the name of each caller. The key is not named, as only its stack knows its id: the
 * encryption context limits the permission to the table.
 *
 * @param partition a region of the same partition, for a region that is known only at apply
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html
 */
function useOfKey(keys: string, tableName: string, region: string, partition = region): Statement {
  return {
    actions: ["kms:Decrypt"],
    resources: [keys],
    conditions: {
      StringEquals: {
        "kms:ViaService": endpointOf("dynamodb", region, partition),
        "kms:EncryptionContext:aws:dynamodb:tableName": tableName,
      },
    },
  };
}

export const KEY_TYPES = ["string", "number", "binary"] as const;
/** Type of a key attribute. */
export type KeyType = (typeof KEY_TYPES)[number];

/** A key attribute. */
export interface TableKey {
  readonly name: string;
  /** @default "string" */
  readonly type?: KeyType;
}

/** A global secondary index. */
export interface TableIndex {
  readonly name: string;
  readonly partitionKey: TableKey;
  /** @default - none */
  readonly sortKey?: TableKey;
}

export interface TableProps {
  /** Partition key, which distributes items over partitions. */
  readonly partitionKey: TableKey;
  /**
   * Sort key, which orders the items with the same partition key.
   *
   * @default - none: one item for each partition key
   */
  readonly sortKey?: TableKey;
  /** @default - none */
  readonly indexes?: readonly TableIndex[];
  /**
   * Attribute with the time at which an item expires (TTL), in seconds since 1970. To remove or change it later, turn TTL off
   * first: the plan shows the command.
   *
   * @default - items do not expire
   */
  readonly expiresAt?: string;
}

/**
 * The provider ignores that the block of TTL is gone, and DynamoDB would delete more items. Turning it off takes the name of the
 * attribute, which the program no longer has.
 */
function expiresNothing(table: string) {
  const off = `aws dynamodb update-time-to-live --table-name ${table} --time-to-live-specification`;
  return {
    condition: "${!try(self.ttl[0].enabled, false)}",
    errorMessage: `Items of ${table} still expire. Turn this off: ${off} Enabled=false,AttributeName=\${try(self.ttl[0].attribute_name, "")}`,
  };
}

/** Records TABLE_ATTRIBUTE, TABLE_KEY_TYPE, TABLE_INDEX. */
function checkTable(scope: IConstruct, props: TableProps): void {
  const problems = new Problems(scope);
  const keys: [prop: string, key: TableKey | undefined][] = [
    ["partitionKey", props.partitionKey],
    ["sortKey", props.sortKey],
    ...(props.indexes ?? []).flatMap(({ name, partitionKey, sortKey }): [string, TableKey | undefined][] => [
      [`indexes.${name}.partitionKey`, partitionKey],
      [`indexes.${name}.sortKey`, sortKey],
    ]),
    ["expiresAt", props.expiresAt === undefined ? undefined : { name: props.expiresAt, type: "number" }],
  ];
  const types = new Map<string, KeyType>();
  for (const [prop, key] of keys) {
    if (key === undefined) continue;
    const { name, type = "string" } = key;
    problems.check(name.length >= 1 && name.length <= 255, {
      code: "TABLE_ATTRIBUTE",
      prop,
      problem: `${JSON.stringify(name)} is not a valid attribute name`,
      remedy: "Use 1 to 255 characters.",
    });
    problems.check(KEY_TYPES.includes(type) && (types.get(name) ?? type) === type, {
      code: "TABLE_KEY_TYPE",
      prop,
      problem: `${JSON.stringify(type)} is not a supported type, or ${name} has a different type elsewhere`,
      remedy: `Use one of: ${KEY_TYPES.join(", ")}; and the same type wherever an attribute is used.`,
    });
    types.set(name, type);
  }
  for (const { partitionKey, sortKey, name } of [{ ...props, name: "" }, ...(props.indexes ?? [])]) {
    problems.check(sortKey?.name !== partitionKey.name, {
      code: "TABLE_ATTRIBUTE",
      prop: name === "" ? "sortKey" : `indexes.${name}.sortKey`,
      problem: `must be another attribute than the partition key, got ${sortKey?.name}`,
      remedy: "Use another attribute, or leave sortKey out.",
    });
  }
  const names = (props.indexes ?? []).map(({ name }) => name);
  problems.check(
    names.length <= 20 && new Set(names).size === names.length && names.every((name) => /^[\w.-]{3,255}$/.test(name)),
    {
      code: "TABLE_INDEX",
      prop: "indexes",
      problem: `must be up to 20 unique, valid index names, got ${names.join(", ")}`,
      remedy: "Use names of 3 to 255 letters, digits and _.-",
    },
  );
  problems.throwIfAny();
}

/**
 * A DynamoDB table with on-demand capacity, encrypted at rest. In production, it can be restored to any second
 * of the last 35 days. An alarm reports throttled requests. Belongs in the data stack.
 *
 * Costs about 0.75 USD per million writes and 0.15 USD per million reads, and 0.30 USD per GB and month; nothing when idle.
 *
 * @example
 * ```ts
 * const sessions = new Table(stack.data, "Sessions", { partitionKey: { name: "id" }, expiresAt: "expiresAt" });
 * new CloudNativeService(stack, "Orders").use(sessions);
 * ```
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/best-practices.html
 */
export class Table extends Construct implements ITable {
  readonly tableArn: string;
  readonly tableName: string;
  readonly grants: TableGrants;
  readonly #alarm;

  /** @throws InvalidPropsError TABLE_ATTRIBUTE, TABLE_KEY_TYPE, TABLE_INDEX, BACKING_LIFETIME */
  constructor(scope: Construct, id: string, props: TableProps) {
    super(scope, id);
    checkArguments("new Table", { props }, this);
    const stack = dataStackOf(this);
    checkTable(this, props);
    const { partitionKey, sortKey, indexes = [] } = props;
    const keys = [partitionKey, sortKey, ...indexes.flatMap((index) => [index.partitionKey, index.sortKey])];
    const types = new Map(
      keys.flatMap((key) => (key === undefined ? [] : [[key.name, key.type ?? "string"]])) as [string, KeyType][],
    );
    this.tableName = backingName(this, "table");
    this.tableArn = sharedArn(stack, "dynamodb", `table/${this.tableName}`);
    const keyArn = dataKeyArnOf(stack);
    new DynamodbTable(this, "Resource", {
      name: this.tableName,
      billingMode: "PAY_PER_REQUEST",
      hashKey: literal(partitionKey.name),
      rangeKey: sortKey && literal(sortKey.name),
      attribute: [...types].sort().map(([name, type]) => ({ name: literal(name), type: type.charAt(0).toUpperCase() })),
      globalSecondaryIndex:
        indexes.length === 0
          ? undefined
          : indexes.map((index) => ({
              name: literal(index.name),
              hashKey: literal(index.partitionKey.name),
              rangeKey: index.sortKey && literal(index.sortKey.name),
              projectionType: "ALL",
            })),
      ...(props.expiresAt === undefined
        ? { lifecycle: { postcondition: [expiresNothing(this.tableName)] } }
        : { ttl: { enabled: true, attributeName: literal(props.expiresAt) } }),
      serverSideEncryption: { enabled: true, kmsKeyArn: keyArn },
      pointInTimeRecovery: { enabled: stack.production },
      deletionProtectionEnabled: stack.production,
    });
    const dimensions = { TableName: this.tableName };
    const count = (id: string, metricName: string) =>
      ({ id, metric: { namespace: "AWS/DynamoDB", metricName, dimensions, statistic: "Sum" } }) as const;
    this.#alarm = healthAlarm(this, {
      description: `Requests to ${this.tableName} are throttled: one partition key receives too many, or the account has reached a quota.`,
      threshold: 0,
      datapoints: 3,
      queries: () => [
        count("reads", "ReadThrottleEvents"),
        count("writes", "WriteThrottleEvents"),
        // Reported only when there are throttled requests, and alarms keep their state while metrics of DynamoDB are
        // missing.
        { id: "refused", expression: "FILL(reads, 0) + FILL(writes, 0)", returned: true },
      ],
    });
    this.grants = new TableGrants(
      this.tableArn,
      keyArn === undefined
        ? undefined
        : useOfKey(sharedArn(stack, "kms", "key/*"), this.tableName, stack.environment.region),
    );
  }

  get name(): string {
    return this.node.id;
  }

  attach(host: BackingHost): void {
    comesFirst(this, host);
    attachTable(this, host);
    host.addAlarm(this.#alarm);
  }
}

function attachTable(table: ITable, host: BackingHost): void {
  host.needsEndpoint("dynamodb");
  host.addEnvironment("TABLE_NAME", table.tableName);
  table.grants.read(host);
  table.grants.write(host);
}

const TABLE_ARN = /^arn:aws[a-z-]*:dynamodb:([a-z0-9-]+):(\d{12}):table\/([\w.-]{3,255})$/;

/**
 * References a table that is managed outside this app.
 *
 * @example
 * ```ts
 * const sessions = existingTable(stack, "Sessions", "arn:aws:dynamodb:eu-central-1:123456789012:table/sessions");
 * ```
 * @throws InvalidPropsError TABLE_ARN
 */
export function existingTable(scope: Construct, id: string, tableArn: string): ITable {
  checkArguments("existingTable", { tableArn });
  return new ExistingTable(scope, id, tableArn);
}

class ExistingTable extends Construct implements ITable {
  readonly tableArn: string;
  readonly tableName: string;
  readonly grants: TableGrants;

  constructor(scope: Construct, id: string, tableArn: string) {
    super(scope, id);
    const parts = arnParts(this, tableArn, TABLE_ARN, "table/");
    if (parts === undefined) {
      const problem = `${JSON.stringify(tableArn)} is not the ARN of a table`;
      throw invalid(this, {
        code: "TABLE_ARN",
        prop: "tableArn",
        problem,
        remedy: 'Use "arn:aws:dynamodb:<region>:<account>:table/<name>".',
      });
    }
    this.tableArn = literal(tableArn);
    const { region, account, name } = parts;
    this.tableName = name;
    // Its key may be a customer-managed one.
    const stack = AwsStack.of(this);
    const keys = `arn:${stack.partition}:kms:${region}:${account}:key/*`;
    this.grants = new TableGrants(this.tableArn, useOfKey(keys, name, region, stack.environment.region));
  }

  get name(): string {
    return this.node.id;
  }

  attach(host: BackingHost): void {
    attachTable(this, host);
  }
}
