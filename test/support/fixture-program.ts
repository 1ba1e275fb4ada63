/** A small synthesized stack, written by hand: a network, a security group, a log group, an ECS cluster and a service. */
export function fixtureProgram(options: { readonly message?: string } = {}): object {
  return {
    terraform: {
      required_providers: { aws: { source: "hashicorp/aws", version: "5.100.0" } },
      // What must not be reached from an emulator.
      backend: { s3: { bucket: "of-the-team", key: "fixture", region: "eu-central-1" } },
    },
    provider: { aws: [{ region: "eu-central-1", profile: "of-the-team", allowed_account_ids: ["210987654321"] }] },
    resource: {
      aws_vpc: { Vpc: { cidr_block: "10.0.0.0/16" } },
      aws_subnet: { Subnet: { vpc_id: "${aws_vpc.Vpc.id}", cidr_block: "10.0.0.0/24" } },
      aws_security_group: { Group: { name: "fixture", description: "fixture", vpc_id: "${aws_vpc.Vpc.id}" } },
      aws_cloudwatch_log_group: { Logs: { name: "/fixture/web", retention_in_days: 30 } },
      aws_ecs_cluster: { Cluster: { name: "fixture" } },
      aws_ecs_task_definition: {
        Task: {
          family: "fixture-web",
          requires_compatibilities: ["FARGATE"],
          network_mode: "awsvpc",
          cpu: "256",
          memory: "512",
          skip_destroy: true,
          container_definitions: JSON.stringify([
            {
              name: "app",
              image: "node",
              essential: true,
              cpu: 0,
              environment: [{ name: "MESSAGE", value: options.message ?? "hello" }],
              mountPoints: [],
              portMappings: [],
              systemControls: [],
              volumesFrom: [],
            },
          ]),
        },
      },
      aws_ecs_service: {
        Service: {
          name: "web",
          cluster: "${aws_ecs_cluster.Cluster.arn}",
          task_definition: "${aws_ecs_task_definition.Task.arn}",
          desired_count: 2,
          launch_type: "FARGATE",
          deployment_circuit_breaker: { enable: true, rollback: true },
          enable_execute_command: true,
          network_configuration: {
            subnets: ["${aws_subnet.Subnet.id}"],
            security_groups: ["${aws_security_group.Group.id}"],
          },
        },
      },
    },
    output: { cluster: { value: "${aws_ecs_cluster.Cluster.name}" } },
  };
}
