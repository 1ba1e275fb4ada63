import { autoscaling, type Case, cluster, create, launchTemplate, machines, scaling } from "./account";

const TARGET = {
  ServiceNamespace: "ecs",
  ResourceId: "service/main/web",
  ScalableDimension: "ecs:service:DesiredCount",
};
const BOUNDS = { MinCapacity: 1, MaxCapacity: 4 };
const tracking = (metric: object) => ({
  ...TARGET,
  PolicyName: "cpu",
  PolicyType: "TargetTrackingScaling",
  TargetTrackingScalingPolicyConfiguration: { TargetValue: 60, PredefinedMetricSpecification: metric },
});
const CPU = { PredefinedMetricType: "ECSServiceAverageCPUUtilization" };

export const cases: Record<string, Case> = {
  // Scaling
  "scaling-tags-on-existing-target": {
    given: async () => {
      await create((await cluster()).service);
      await scaling("RegisterScalableTarget", { ...TARGET, ...BOUNDS, Tags: { Team: "a" } });
    },
    refused: () => scaling("RegisterScalableTarget", { ...TARGET, ...BOUNDS, Tags: { Team: "b" } }),
    accepted: () => scaling("RegisterScalableTarget", { ...TARGET, MinCapacity: 2, MaxCapacity: 4 }),
  },
  "scaling-bounds": {
    given: async () => create((await cluster()).service),
    refused: () => scaling("RegisterScalableTarget", { ...TARGET, MinCapacity: 5, MaxCapacity: 4 }),
    accepted: () => scaling("RegisterScalableTarget", { ...TARGET, MinCapacity: 4, MaxCapacity: 4 }),
  },
  "scaling-request-count-label": {
    given: async () => {
      await create((await cluster()).service);
      await scaling("RegisterScalableTarget", { ...TARGET, ...BOUNDS });
    },
    refused: () => scaling("PutScalingPolicy", tracking({ PredefinedMetricType: "ALBRequestCountPerTarget" })),
    accepted: () =>
      scaling(
        "PutScalingPolicy",
        tracking({
          PredefinedMetricType: "ALBRequestCountPerTarget",
          ResourceLabel: "app/public/50dc6c495c0c9188/targetgroup/web/943f017f100becff",
        }),
      ),
  },
  "scaling-policy-without-target": {
    given: async () => create((await cluster()).service),
    refused: () => scaling("PutScalingPolicy", tracking(CPU)),
    accepted: async () => {
      await scaling("RegisterScalableTarget", { ...TARGET, ...BOUNDS });
      return scaling("PutScalingPolicy", tracking(CPU));
    },
  },
  "autoscaling-bounds": {
    given: () => launchTemplate(),
    refused: () => autoscaling("CreateAutoScalingGroup", machines({ DesiredCapacity: 3 })),
    accepted: () => autoscaling("CreateAutoScalingGroup", machines({ DesiredCapacity: 2 })),
  },
  "autoscaling-delete-with-instances": {
    given: async () => {
      await launchTemplate();
      await autoscaling("CreateAutoScalingGroup", machines({ MinSize: 1 }));
    },
    refused: () => autoscaling("DeleteAutoScalingGroup", { AutoScalingGroupName: "machines" }),
    accepted: () => autoscaling("DeleteAutoScalingGroup", { AutoScalingGroupName: "machines", ForceDelete: true }),
  },
  "autoscaling-group-exists": {
    given: async () => {
      await launchTemplate();
      await autoscaling("CreateAutoScalingGroup", machines());
    },
    refused: () => autoscaling("CreateAutoScalingGroup", machines()),
    accepted: () => autoscaling("CreateAutoScalingGroup", machines({ AutoScalingGroupName: "other" })),
  },
};
