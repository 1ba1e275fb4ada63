import {
  APP,
  autoscaling,
  balancer,
  type Case,
  cluster,
  clusterWithBalancer,
  codeDeployed,
  container,
  create,
  discovery,
  ecs,
  forward,
  launchTemplate,
  listener,
  machines,
  machinesArn,
  register,
  runTask,
  targetGroup,
  update,
} from "./account";

export const cases: Record<string, Case> = {
  // Task definitions
  "ecs-fargate-size": {
    refused: () => register({ cpu: "256", memory: "4096" }),
    accepted: () => register({ cpu: "512", memory: "4096" }),
  },
  "ecs-fargate-network-mode": {
    refused: () => register({ networkMode: "bridge" }),
    accepted: () => register({ networkMode: "bridge", requiresCompatibilities: ["EC2"] }),
  },
  "ecs-fargate-execution-role": {
    refused: () => container({ logConfiguration: { logDriver: "awslogs" } }),
    accepted: () =>
      register({
        containerDefinitions: [{ ...APP, logConfiguration: { logDriver: "awslogs" } }],
        executionRoleArn: "arn:aws:iam::123456789012:role/execution",
      }),
  },
  "ecs-essential-container": {
    refused: () => container({ essential: false }),
    accepted: () => register({ containerDefinitions: [APP, { ...APP, name: "side", essential: false }] }),
  },
  "ecs-container-names": {
    refused: () => register({ containerDefinitions: [APP, APP] }),
    accepted: () => register({ containerDefinitions: [APP, { name: "other", image: "node" }] }),
  },
  "ecs-host-ports": {
    refused: () => container({ portMappings: [{ containerPort: 8080, hostPort: 80 }] }),
    accepted: () => container({ portMappings: [{ containerPort: 8080, hostPort: 8080 }] }),
  },
  "ecs-stop-timeout": {
    refused: () => container({ stopTimeout: 121 }),
    accepted: () => container({ stopTimeout: 120 }),
  },
  "ecs-depends-on": {
    refused: () =>
      register({
        containerDefinitions: [
          { ...APP, dependsOn: [{ containerName: "side", condition: "HEALTHY" }] },
          { name: "side", image: "node", essential: false },
        ],
      }),
    accepted: () =>
      register({
        containerDefinitions: [
          { ...APP, dependsOn: [{ containerName: "side", condition: "START" }] },
          { name: "side", image: "node", essential: false },
        ],
      }),
  },
  "ecs-container-memory": {
    refused: () => container({ memory: 1024 }),
    accepted: () => container({ memory: 512 }),
  },
  "ecs-task-definition-size": {
    refused: () => container({ environment: [{ name: "LONG", value: "x".repeat(65536) }] }),
    accepted: () => container({ environment: [{ name: "LONG", value: "x".repeat(60000) }] }),
  },

  // Services
  "ecs-service-exists": {
    given: async () => {
      const { service } = await cluster();
      await create(service);
      return service;
    },
    refused: (service) => create(service),
    accepted: (service) => create(service, { serviceName: "other" }),
  },
  "ecs-service-name": {
    given: cluster,
    refused: ({ service }) => create(service, { serviceName: "a b" }),
    accepted: ({ service }) => create(service, { serviceName: "a-b_c" }),
  },
  "ecs-launch-type-and-strategy": {
    given: cluster,
    refused: ({ service }) =>
      create(service, { capacityProviderStrategy: [{ capacityProvider: "FARGATE", weight: 1 }] }),
    accepted: ({ service }) =>
      create(service, {
        launchType: undefined,
        capacityProviderStrategy: [{ capacityProvider: "FARGATE", weight: 1 }],
      }),
  },
  "ecs-capacity-provider-association": {
    given: async () => {
      const { service } = await cluster();
      await ecs("CreateCluster", { clusterName: "bare" });
      return {
        ...service,
        launchType: undefined,
        capacityProviderStrategy: [{ capacityProvider: "FARGATE", weight: 1 }],
      };
    },
    refused: (service) => create(service, { cluster: "bare" }),
    accepted: (service) => create(service),
  },
  "ecs-mixed-strategy": {
    given: async () => {
      const { service } = await cluster();
      await launchTemplate();
      await autoscaling("CreateAutoScalingGroup", machines());
      const provider = { autoScalingGroupArn: await machinesArn() };
      await ecs("CreateCapacityProvider", { name: "machines", autoScalingGroupProvider: provider });
      await ecs("PutClusterCapacityProviders", {
        cluster: "main",
        capacityProviders: ["FARGATE", "machines"],
        defaultCapacityProviderStrategy: [],
      });
      return { ...service, launchType: undefined };
    },
    refused: (service) =>
      create(service, {
        capacityProviderStrategy: [{ capacityProvider: "FARGATE" }, { capacityProvider: "machines" }],
      }),
    accepted: (service) => create(service, { capacityProviderStrategy: [{ capacityProvider: "machines" }] }),
  },
  "ecs-task-launch-type": {
    given: async () => {
      const given = await cluster();
      await register({ family: "on-instances", requiresCompatibilities: ["EC2"] });
      await register({ family: "anywhere", requiresCompatibilities: ["EC2", "FARGATE"] });
      return given;
    },
    refused: ({ service }) => create(service, { taskDefinition: "on-instances" }),
    accepted: ({ service }) => create(service, { taskDefinition: "anywhere" }),
  },
  "ecs-full-bound": {
    given: cluster,
    refused: ({ service }) =>
      create(service, { deploymentConfiguration: { maximumPercent: 100, minimumHealthyPercent: 100 } }),
    accepted: ({ service }) =>
      create(service, { deploymentConfiguration: { maximumPercent: 200, minimumHealthyPercent: 100 } }),
  },
  "ecs-grace-period-without-load-balancer": {
    given: clusterWithBalancer,
    refused: ({ plain }) => create(plain, { healthCheckGracePeriodSeconds: 30 }),
    accepted: ({ balanced }) => create(balanced, { healthCheckGracePeriodSeconds: 30 }),
  },
  "ecs-network-configuration": {
    given: cluster,
    refused: ({ service }) => create(service, { networkConfiguration: undefined }),
    accepted: ({ service }) => create(service),
  },
  "ecs-target-group-without-load-balancer": {
    given: async () => {
      const { vpc, subnets, service } = await cluster();
      const arn = await targetGroup(vpc);
      const loadBalancers = [{ targetGroupArn: arn, containerName: "app", containerPort: 8080 }];
      return { subnets, arn, service: { ...service, loadBalancers } };
    },
    refused: ({ service }) => create(service),
    accepted: async ({ subnets, arn, service }) => {
      await listener(await balancer(subnets), forward(arn));
      return create(service);
    },
  },
  "ecs-target-type": {
    given: async () => {
      const given = await clusterWithBalancer();
      const arn = await targetGroup(given.vpc, "instances", { TargetType: "instance" });
      await listener(await balancer(given.subnets, "second"), forward(arn));
      return { ...given, arn };
    },
    refused: ({ balanced, arn }) =>
      create(balanced, { loadBalancers: [{ targetGroupArn: arn, containerName: "app", containerPort: 8080 }] }),
    accepted: ({ balanced }) => create(balanced),
  },
  "ecs-target-container": {
    given: clusterWithBalancer,
    refused: ({ balanced, targetGroup }) =>
      create(balanced, { loadBalancers: [{ targetGroupArn: targetGroup, containerName: "app", containerPort: 80 }] }),
    accepted: ({ balanced }) => create(balanced),
  },
  "ecs-target-group-missing": {
    given: clusterWithBalancer,
    refused: ({ balanced, targetGroup }) =>
      create(balanced, {
        loadBalancers: [{ targetGroupArn: `${targetGroup}0`, containerName: "app", containerPort: 8080 }],
      }),
    accepted: ({ balanced }) => create(balanced),
  },
  "ecs-service-still-scaled": {
    given: async () => create((await cluster()).service),
    refused: () => ecs("DeleteService", { cluster: "main", service: "web" }),
    accepted: async () => {
      await update({ desiredCount: 0 });
      return ecs("DeleteService", { cluster: "main", service: "web" });
    },
  },
  "ecs-inactive-service": {
    given: async () => create((await cluster()).service),
    refused: async () => {
      await ecs("DeleteService", { cluster: "main", service: "web", force: true });
      return update({ desiredCount: 1 });
    },
    accepted: async () => {
      const { service } = await cluster();
      await create(service, { serviceName: "other" });
      return ecs("UpdateService", { cluster: "main", service: "other", desiredCount: 2 });
    },
  },

  // Service Connect
  "ecs-service-connect-controller": {
    given: async () => {
      const given = await clusterWithBalancer();
      await discovery("CreateHttpNamespace", { Name: "shop" });
      return { ...given, connect: { serviceConnectConfiguration: { enabled: true, namespace: "shop" } } };
    },
    refused: ({ balanced, connect }) => create(balanced, { ...connect, deploymentController: { type: "CODE_DEPLOY" } }),
    accepted: ({ balanced, connect }) => create(balanced, connect),
  },
  "ecs-service-connect-namespace": {
    given: async () => {
      await discovery("CreateHttpNamespace", { Name: "shop" });
      return (await cluster()).service;
    },
    refused: (service) => create(service, { serviceConnectConfiguration: { enabled: true, namespace: "shopp" } }),
    accepted: (service) => create(service, { serviceConnectConfiguration: { enabled: true, namespace: "shop" } }),
  },
  "ecs-service-connect-port": {
    given: async () => {
      await discovery("CreateHttpNamespace", { Name: "shop" });
      return (await cluster()).service;
    },
    refused: (service) =>
      create(service, {
        serviceConnectConfiguration: { enabled: true, namespace: "shop", services: [{ portName: "grpc" }] },
      }),
    accepted: (service) =>
      create(service, {
        serviceConnectConfiguration: { enabled: true, namespace: "shop", services: [{ portName: "http" }] },
      }),
  },

  // Deployment controllers
  "ecs-circuit-breaker-controller": {
    given: clusterWithBalancer,
    refused: ({ balanced }) =>
      create(balanced, {
        deploymentController: { type: "CODE_DEPLOY" },
        deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } },
      }),
    accepted: ({ balanced }) =>
      create(balanced, { deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } } }),
  },
  "ecs-alarms-controller": {
    given: clusterWithBalancer,
    refused: ({ balanced }) =>
      create(balanced, {
        deploymentController: { type: "CODE_DEPLOY" },
        deploymentConfiguration: { alarms: { alarmNames: ["a"], enable: true, rollback: true } },
      }),
    accepted: ({ balanced }) =>
      create(balanced, { deploymentConfiguration: { alarms: { alarmNames: ["a"], enable: true, rollback: true } } }),
  },
  "ecs-code-deploy-task-definition": {
    given: codeDeployed,
    refused: () => update({ taskDefinition: "web" }),
    accepted: () => update({ desiredCount: 2 }),
  },
  "ecs-code-deploy-load-balancers": {
    given: codeDeployed,
    refused: ({ service }) => update({ loadBalancers: service.loadBalancers }),
    accepted: () => update({ desiredCount: 2 }),
  },
  "ecs-code-deploy-network": {
    given: codeDeployed,
    refused: ({ service }) => update({ networkConfiguration: service.networkConfiguration }),
    accepted: () => update({ desiredCount: 2 }),
  },
  "ecs-code-deploy-force": {
    given: codeDeployed,
    refused: () => update({ forceNewDeployment: true }),
    accepted: async ({ plain }) => {
      await create(plain, { serviceName: "rolling" });
      return ecs("UpdateService", { cluster: "main", service: "rolling", forceNewDeployment: true });
    },
  },
  "ecs-code-deploy-load-balancer": {
    given: clusterWithBalancer,
    refused: ({ plain }) => create(plain, { deploymentController: { type: "CODE_DEPLOY" } }),
    accepted: ({ balanced }) => create(balanced, { deploymentController: { type: "CODE_DEPLOY" } }),
  },

  // Tasks without a service
  "ecs-run-task-network": {
    given: cluster,
    refused: () => ecs("RunTask", { cluster: "main", taskDefinition: "web" }),
    accepted: ({ service }) => runTask(service, "app"),
  },
  "ecs-run-task-override": {
    given: cluster,
    refused: ({ service }) => runTask(service, "none"),
    accepted: ({ service }) => runTask(service, "app"),
  },

  // Clusters and capacity providers
  "ecs-cluster-in-use": {
    given: async () => create((await cluster()).service),
    refused: () => ecs("DeleteCluster", { cluster: "main" }),
    accepted: async () => {
      await ecs("DeleteService", { cluster: "main", service: "web", force: true });
      return ecs("DeleteCluster", { cluster: "main" });
    },
  },
  "ecs-capacity-provider-in-use": {
    given: async () => {
      const { service } = await cluster();
      const set = (...capacityProviders: string[]) =>
        ecs("PutClusterCapacityProviders", { cluster: "main", capacityProviders, defaultCapacityProviderStrategy: [] });
      await set("FARGATE", "FARGATE_SPOT");
      const capacityProviderStrategy = [{ capacityProvider: "FARGATE_SPOT" }];
      await create({ ...service, launchType: undefined }, { capacityProviderStrategy });
      return set;
    },
    refused: (set) => set("FARGATE"),
    accepted: async (set) => {
      await ecs("DeleteService", { cluster: "main", service: "web", force: true });
      return set("FARGATE");
    },
  },
  "ecs-capacity-provider-name": {
    given: async () => {
      await launchTemplate();
      await autoscaling("CreateAutoScalingGroup", machines());
      return { autoScalingGroupProvider: { autoScalingGroupArn: await machinesArn() } };
    },
    refused: (provider) => ecs("CreateCapacityProvider", { ...provider, name: "ecs-instances" }),
    accepted: (provider) => ecs("CreateCapacityProvider", { ...provider, name: "machines" }),
  },
  "ecs-termination-protection": {
    given: () => launchTemplate(),
    refused: async () => {
      await autoscaling("CreateAutoScalingGroup", machines());
      const provider = { autoScalingGroupArn: await machinesArn(), managedTerminationProtection: "ENABLED" };
      return ecs("CreateCapacityProvider", { name: "machines", autoScalingGroupProvider: provider });
    },
    accepted: async () => {
      await autoscaling("DeleteAutoScalingGroup", { AutoScalingGroupName: "machines", ForceDelete: true });
      await autoscaling("CreateAutoScalingGroup", machines({ NewInstancesProtectedFromScaleIn: true }));
      const provider = { autoScalingGroupArn: await machinesArn(), managedTerminationProtection: "ENABLED" };
      return ecs("CreateCapacityProvider", { name: "machines", autoScalingGroupProvider: provider });
    },
  },
  "ecs-auto-scaling-group-in-use": {
    given: async () => {
      await launchTemplate();
      await autoscaling("CreateAutoScalingGroup", machines());
      const provider = { autoScalingGroupProvider: { autoScalingGroupArn: await machinesArn() } };
      await ecs("CreateCapacityProvider", { ...provider, name: "first" });
      return provider;
    },
    refused: (provider) => ecs("CreateCapacityProvider", { ...provider, name: "second" }),
    accepted: async (provider) => {
      await ecs("DeleteCapacityProvider", { capacityProvider: "first" });
      return ecs("CreateCapacityProvider", { ...provider, name: "second" });
    },
  },
};
