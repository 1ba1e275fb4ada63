import type { Architecture } from "../core/architecture";
import { checkArguments } from "../core/check-types";
import { literal } from "../core/literal";
import { isReference } from "../core/reference";

/** Minimum requirements of an instance. */
export interface InstanceRequirements {
  readonly vcpus: number;
  readonly memoryMiB: number;
  /** @default "arm64" */
  readonly architecture?: Architecture;
}

/** Instance types of a group: see {@link InstanceTypes.ofType} and {@link InstanceTypes.atLeast}. */
export class InstanceTypes {
  /**
   * Selects instance types by name: `t4g.small`. With several, the group prefers the first one that is available.
   *
   * @param types instance types of one architecture
   */
  static ofType(...types: readonly string[]): InstanceTypes {
    checkArguments("InstanceTypes.ofType", { types });
    return new InstanceTypes({ kind: "types", types });
  }

  /** Selects any current instance type that meets the requirements, the cheapest first. */
  static atLeast(need: InstanceRequirements): InstanceTypes {
    checkArguments("InstanceTypes.atLeast", { need });
    return new InstanceTypes({ kind: "need", need: { architecture: "arm64", ...need } });
  }

  private constructor(
    readonly choice:
      | { readonly kind: "types"; readonly types: readonly string[] }
      | { readonly kind: "need"; readonly need: Required<InstanceRequirements> },
  ) {}

  /** Distinct architectures of the types. */
  get architectures(): readonly Architecture[] {
    if (this.choice.kind === "need") return [this.choice.need.architecture];
    return [...new Set(this.choice.types.map(architectureOf))];
  }
}

/** Pattern of the names of instance types: family, generation, attributes, size. */
export const INSTANCE_TYPE = /^[a-z]+(-[a-z0-9]+)?\d*[a-z0-9-]*\.[a-z0-9-]+$/;

/** Derives the architecture from the name: `m7gd.large` is Graviton, with a `g` after the generation; `g5.xlarge` is not. */
export function architectureOf(type: string): Architecture {
  const attributes = /^[a-z]+\d+([a-z-]*)\./.exec(type)?.[1] ?? "";
  return attributes.includes("g") || type.startsWith("a1.") ? "arm64" : "x86_64";
}

/** Machine image (AMI) of instances: see {@link MachineImage.amazonLinux} and the other factory methods. */
export class MachineImage {
  /** Amazon Linux 2023, the latest at each apply. A new image is rolled out instance by instance. */
  static amazonLinux(): MachineImage {
    return new MachineImage(
      (architecture) => `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${architecture}`,
    );
  }

  /** Amazon Linux 2023 with the ECS agent, the latest at each apply. A new image is rolled out instance by instance. */
  static ecs(): MachineImage {
    return new MachineImage((architecture) => {
      const path = architecture === "arm64" ? "arm64/" : "";
      return `/aws/service/ecs/optimized-ami/amazon-linux-2023/${path}recommended/image_id`;
    });
  }

  /**
   * The image whose id an SSM parameter holds at each apply: `/images/golden/arm64`.
   *
   * @throws RangeError when the name is not a valid parameter name
   */
  static fromParameter(name: string): MachineImage {
    checkArguments("MachineImage.fromParameter", { name });
    if (!isReference(name) && !/^[\w./-]{1,1011}$/.test(name)) {
      throw new RangeError(`MachineImage.fromParameter(${JSON.stringify(name)}): use letters, digits and . - _ /`);
    }
    return new MachineImage(() => literal(name));
  }

  /**
   * A fixed image: `ami-0a1b2c3d4e5f60718`. You must update the id to get a newer image.
   *
   * @throws RangeError when the id is not a valid image id
   */
  static id(imageId: string): MachineImage {
    checkArguments("MachineImage.id", { imageId });
    if (!isReference(imageId) && !/^ami-[0-9a-f]{8,17}$/.test(imageId)) {
      throw new RangeError(`MachineImage.id(${JSON.stringify(imageId)}): use ami- and 8 to 17 hex digits`);
    }
    return new MachineImage(undefined, literal(imageId));
  }

  private constructor(
    /** Name of the SSM parameter that holds the image id. */
    readonly parameter: ((architecture: Architecture) => string) | undefined,
    readonly imageId?: string,
  ) {}
}
