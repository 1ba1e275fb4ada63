import { checkArguments } from "../core/check-types";

/** Memory of instance classes in GiB, which determines the number of connections. */
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

/** Capacity of a database: a fixed instance class, or Aurora Serverless, which scales automatically. */
export class DatabaseCapacity {
  /**
   * One instance of a class; in production with a standby in another zone.
   *
   * @param instanceClass class of the T, M or R families: `db.t4g.micro`, `db.m7g.large`. Default: db.t4g.micro in dev,
   * db.t4g.small in production
   */
  static instance(instanceClass?: string): DatabaseCapacity {
    checkArguments("DatabaseCapacity.instance", { instanceClass });
    return new DatabaseCapacity("instance", instanceClass);
  }

  /**
   * Aurora Serverless v2: one capacity unit (ACU) is 2 GiB of memory and costs about 0.12 USD an hour. With `min` 0, the
   * database pauses after ten minutes without connections and then needs about 15 s for the first response; a connection
   * pool keeps it awake.
   *
   * @param options.min minimum number of ACUs, 0 to 256 in steps of 0.5. Default: 0.5
   * @param options.max maximum number of ACUs, 1 to 256 in steps of 0.5. Default: 4
   */
  static serverless(options: { readonly min?: number; readonly max?: number } = {}): DatabaseCapacity {
    checkArguments("DatabaseCapacity.serverless", { options });
    return new DatabaseCapacity("serverless", undefined, options.min ?? 0.5, options.max ?? 4);
  }

  private constructor(
    readonly kind: "instance" | "serverless",
    readonly instanceClass: string | undefined,
    readonly minUnits: number = 0,
    readonly maxUnits: number = 0,
  ) {}

  /** Problem with the capacity; undefined if it is valid. */
  get problem(): string | undefined {
    if (this.kind === "instance") {
      const known = this.instanceClass === undefined || memoryOf(this.instanceClass) !== undefined;
      return known ? undefined : `${JSON.stringify(this.instanceClass)} is not a supported instance class`;
    }
    const inHalves = (units: number) => Number.isInteger(units * 2) && units >= 0 && units <= 256;
    const fits =
      inHalves(this.minUnits) && inHalves(this.maxUnits) && this.maxUnits >= 1 && this.minUnits <= this.maxUnits;
    return fits ? undefined : `${this.minUnits} to ${this.maxUnits} is not a valid range of ACUs`;
  }

  /** @returns maximum memory in GiB */
  memoryGiB(instanceClass: string): number {
    return this.kind === "serverless" ? 2 * this.maxUnits : (memoryOf(instanceClass) ?? 0);
  }
}

function memoryOf(instanceClass: string): number | undefined {
  const [, family = "", size = ""] = INSTANCE_CLASS.exec(instanceClass) ?? [];
  const memory = SIZES[size];
  // Instances of the R family have twice the memory.
  return memory === undefined || family === "" ? undefined : family.startsWith("r") ? 2 * memory : memory;
}
