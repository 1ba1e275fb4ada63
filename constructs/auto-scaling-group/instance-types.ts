import type { Architecture } from "../core/architecture";

/** What an instance must have at least. */
export interface InstanceRequirements {
  readonly vcpus: number;
  readonly memoryMiB: number;
  /** @default "arm64" */
  readonly architecture?: Architecture;
}

/** What instances a group is made of: see {@link InstanceTypes.ofType} and {@link InstanceTypes.atLeast}. */
export class InstanceTypes {
  /**
   * By the names of instance types: `t4g.small`. With several, a group takes what there is, the first first.
   *
   * @param types of one architecture
   */
  static ofType(...types: readonly string[]): InstanceTypes {
    return new InstanceTypes({ kind: "types", types });
  }

  /** By need: any current type that has at least this, the cheapest first. */
  static atLeast(need: InstanceRequirements): InstanceTypes {
    return new InstanceTypes({ kind: "need", need: { architecture: "arm64", ...need } });
  }

  private constructor(
    readonly choice:
      | { readonly kind: "types"; readonly types: readonly string[] }
      | { readonly kind: "need"; readonly need: Required<InstanceRequirements> },
  ) {}

  /** Architectures of the types, each once. */
  get architectures(): readonly Architecture[] {
    if (this.choice.kind === "need") return [this.choice.need.architecture];
    return [...new Set(this.choice.types.map(architectureOf))];
  }
}

/** How an instance type is written: family, generation, attributes, size. */
export const INSTANCE_TYPE = /^[a-z]+(-[a-z0-9]+)?\d*[a-z0-9-]*\.[a-z0-9-]+$/;

/** `m7gd.large` has a Graviton for its `g` after the generation; `g5.xlarge` has not. */
export function architectureOf(type: string): Architecture {
  const attributes = /^[a-z]+\d+([a-z-]*)\./.exec(type)?.[1] ?? "";
  return attributes.includes("g") || type.startsWith("a1.") ? "arm64" : "x86_64";
}

/** What an instance starts from: see {@link MachineImage.amazonLinux} and its like. */
export class MachineImage {
  /** Amazon Linux 2023, the newest at each apply; a new one is rolled out instance by machine. */
  static amazonLinux(): MachineImage {
    return new MachineImage(
      (architecture) => `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${architecture}`,
    );
  }

  /** Amazon Linux 2023 with the agent of ECS, the newest at each apply; a new one is rolled out instance by machine. */
  static ecs(): MachineImage {
    return new MachineImage((architecture) => {
      const path = architecture === "arm64" ? "arm64/" : "";
      return `/aws/service/ecs/optimized-ami/amazon-linux-2023/${path}recommended/image_id`;
    });
  }

  /**
   * What an SSM parameter says at each apply: `/images/golden/arm64`.
   *
   * @throws RangeError when it is no name of a parameter
   */
  static fromParameter(name: string): MachineImage {
    if (!/^[\w./-]{1,1011}$/.test(name)) {
      throw new RangeError(`MachineImage.fromParameter(${JSON.stringify(name)}): use letters, digits and . - _ /`);
    }
    return new MachineImage(() => name);
  }

  /**
   * One image for ever: `ami-0a1b2c3d4e5f60718`. Who names it must replace it.
   *
   * @throws RangeError when it is no id of an image
   */
  static id(imageId: string): MachineImage {
    if (!/^ami-[0-9a-f]{8,17}$/.test(imageId)) {
      throw new RangeError(`MachineImage.id(${JSON.stringify(imageId)}): use ami- and 8 to 17 hex digits`);
    }
    return new MachineImage(undefined, imageId);
  }

  private constructor(
    /** Name of the SSM parameter that holds the image's id. */
    readonly parameter: ((architecture: Architecture) => string) | undefined,
    readonly imageId?: string,
  ) {}
}
