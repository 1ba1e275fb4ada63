/** Memory of instance classes, in GiB: what decides how many connections there are. */
const SIZES: Readonly<Record<string, number>> = {
  micro: 1,
  small: 2,
  medium: 4,
  large: 8,
  xlarge: 16,
  "2xlarge": 32,
  "4xlarge": 64,
  "8xlarge": 128,
  "12xlarge": 192,
  "16xlarge": 256,
  "24xlarge": 384,
};

const INSTANCE_CLASS = /^db\.(t4g|t3|m6g|m6i|m7g|m7i|m8g|r6g|r6i|r7g|r7i|r8g)\.(\d*[a-z]+)$/;

/** Capacity of a database: one instance, or Aurora that scales by itself. */
export class DatabaseCapacity {
  /**
   * One instance, and in production a second one in another zone that takes over. `db.t4g.micro` costs about 13 USD a month.
   *
   * @param instanceClass of T, M or R: `db.t4g.micro`, `db.m7g.large`. Default: db.t4g.micro in dev, db.t4g.small in production
   */
  static instance(instanceClass?: string): DatabaseCapacity {
    return new DatabaseCapacity("instance", instanceClass);
  }

  /**
   * Aurora serverless v2: a unit (ACU) is 2 GiB of memory and costs about 0.12 USD an hour. With `min` 0 it pauses when
   * there are no connections for ten minutes, and then takes some 15 s to answer; a connection pool keeps it awake.
   *
   * @param options.min fewest units, 0 to 256 in halves. Default: 0.5
   * @param options.max most units, 1 to 256 in halves. Default: 4
   */
  static serverless(options: { readonly min?: number; readonly max?: number } = {}): DatabaseCapacity {
    return new DatabaseCapacity("serverless", undefined, options.min ?? 0.5, options.max ?? 4);
  }

  private constructor(
    readonly kind: "instance" | "serverless",
    readonly instanceClass: string | undefined,
    readonly minUnits: number = 0,
    readonly maxUnits: number = 0,
  ) {}

  /** Problem with the capacity; undefined when there is none. */
  get problem(): string | undefined {
    if (this.kind === "instance") {
      const known = this.instanceClass === undefined || memoryOf(this.instanceClass) !== undefined;
      return known ? undefined : `${JSON.stringify(this.instanceClass)} is not a known instance class`;
    }
    const inHalves = (units: number) => Number.isInteger(units * 2) && units >= 0 && units <= 256;
    const fits =
      inHalves(this.minUnits) && inHalves(this.maxUnits) && this.maxUnits >= 1 && this.minUnits <= this.maxUnits;
    return fits ? undefined : `${this.minUnits} to ${this.maxUnits} are no units of Aurora serverless`;
  }

  /** @returns memory at most, in GiB */
  memoryGiB(instanceClass: string): number {
    return this.kind === "serverless" ? 2 * this.maxUnits : (memoryOf(instanceClass) ?? 0);
  }
}

function memoryOf(instanceClass: string): number | undefined {
  const [, family = "", size = ""] = INSTANCE_CLASS.exec(instanceClass) ?? [];
  const memory = SIZES[size];
  // Instances of R have twice the memory.
  return memory === undefined || family === "" ? undefined : family.startsWith("r") ? 2 * memory : memory;
}
