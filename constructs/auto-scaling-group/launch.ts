import { DataAwsSsmParameter } from "@cdktf/provider-aws/lib/data-aws-ssm-parameter";
import { IamInstanceProfile } from "@cdktf/provider-aws/lib/iam-instance-profile";
import { LaunchTemplate } from "@cdktf/provider-aws/lib/launch-template";
import { Fn, TerraformLocal } from "cdktf";
import type { Construct } from "constructs";
import { namePrefix } from "../core/names";
import { AwsStack } from "../core/stack";
import type { AutoScalingGroupProps, AutoScalingGroupSettings } from "./auto-scaling-group-props";
import { renderUserData } from "./user-data";

interface Launch {
  /** Name of the instances, without the environment's name prefix. */
  readonly name: string;
  readonly props: AutoScalingGroupProps;
  readonly settings: AutoScalingGroupSettings;
  /** Role of the instances. */
  readonly roleName: string;
  readonly securityGroupId: string;
}

/** Creates the launch template of the instances. */
export function launchTemplate(scope: Construct, launch: Launch): LaunchTemplate {
  const { name, props, settings } = launch;
  const { networkInMiB, networkOutMiB } = props.scaling ?? {};
  const stack = AwsStack.of(scope);
  const { architecture, diskGiB, image, instanceTypes, spot, warmPool } = settings;
  const fullName = stack.prefixed(name);
  const profile = new IamInstanceProfile(scope, "Profile", {
    name: stack.physicalName("role", name),
    path: stack.environment.guardrails?.rolePath,
    role: launch.roleName,
  });
  const script = renderUserData(
    props.userData,
    settings.cluster === undefined
      ? {}
      : {
          ECS_CLUSTER: settings.cluster.clusterName,
          ECS_AWSVPC_BLOCK_IMDS: "true",
          ...(spot === undefined ? {} : { ECS_ENABLE_SPOT_INSTANCE_DRAINING: "true" }),
          ...(warmPool === undefined ? {} : { ECS_WARM_POOLS_CHECK: "true" }),
        },
  );
  const types = instanceTypes.choice.kind === "types" ? instanceTypes.choice.types : [];
  const tags = { ...stack.tags, Name: fullName };
  return new LaunchTemplate(scope, "LaunchTemplate", {
    namePrefix: namePrefix("launchTemplate", fullName),
    updateDefaultVersion: true,
    imageId:
      image.parameter === undefined
        ? image.imageId
        : new DataAwsSsmParameter(scope, "Image", { name: image.parameter(architecture) }).insecureValue,
    instanceType: types[0],
    // A local value keeps the script readable in the synthesized program and its references intact.
    userData: script && Fn.base64encode(new TerraformLocal(scope, "UserData", script).asString),
    iamInstanceProfile: { arn: profile.arn },
    metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
    // Scaling by network traffic needs metrics every minute, which is detailed monitoring.
    monitoring: { enabled: stack.production || networkInMiB !== undefined || networkOutMiB !== undefined },
    blockDeviceMappings: [
      {
        deviceName: "/dev/xvda",
        ebs: { encrypted: "true", volumeType: "gp3", volumeSize: diskGiB, deleteOnTermination: "true" },
      },
    ],
    networkInterfaces: [
      {
        deviceIndex: 0,
        associatePublicIpAddress: String(settings.vpc.egress === "public-ip"),
        deleteOnTermination: "true",
        securityGroups: [launch.securityGroupId],
      },
    ],
    tagSpecifications: [
      { resourceType: "instance", tags },
      { resourceType: "volume", tags },
    ],
    lifecycle: { createBeforeDestroy: true },
  });
}

/** Selects the launch template for a single instance type, and a mixed instances policy for several types or Spot. */
export function whatToLaunch({ instanceTypes, spot }: AutoScalingGroupSettings, template: LaunchTemplate) {
  const { choice } = instanceTypes;
  const version = Fn.tostring(template.latestVersion);
  if (spot === undefined && choice.kind === "types" && choice.types.length === 1) {
    return { launchTemplate: { id: template.id, version } };
  }
  return {
    mixedInstancesPolicy: {
      instancesDistribution: {
        onDemandBaseCapacity: spot?.onDemandBase ?? 0,
        onDemandPercentageAboveBaseCapacity: 100 - (spot?.percent ?? 0),
        // The "prioritized" strategy needs a list of types.
        onDemandAllocationStrategy: choice.kind === "need" ? "lowest-price" : "prioritized",
        spotAllocationStrategy: "price-capacity-optimized",
      },
      launchTemplate: {
        launchTemplateSpecification: { launchTemplateId: template.id, version },
        override:
          choice.kind === "types"
            ? choice.types.map((instanceType) => ({ instanceType }))
            : [
                {
                  instanceRequirements: {
                    vcpuCount: { min: choice.need.vcpus },
                    memoryMib: { min: choice.need.memoryMiB },
                    cpuManufacturers: choice.need.architecture === "arm64" ? ["amazon-web-services"] : ["intel", "amd"],
                    instanceGenerations: ["current"],
                    burstablePerformance: "included",
                  },
                },
              ],
      },
    },
  };
}
