const change = (address: string, action: string, before: object) => ({ address, actions: [action], before });

/** Rule of a security group that the live release of `orders` needs. */
export const NEEDED = "aws_vpc_security_group_egress_rule.Search";

/** Changes of a plan that takes {@link NEEDED} away. */
export const TAKES_NEEDED = [
  change("aws_ssm_parameter.Releases", "no-op", {
    name: "/antifragile/dev/shop/releases/orders/record",
    insecure_value: JSON.stringify({ live: { processes: { orders: { task: "orders:2", template: 1 } } } }),
  }),
  change("aws_ecs_task_definition.Orders", "no-op", { family: "orders", revision: 2 }),
  change("aws_ecs_service.Orders", "no-op", {
    task_definition: "task-definition/orders:2",
    network_configuration: [{ security_groups: ["sg-1"] }],
  }),
  change(NEEDED, "delete", { security_group_id: "sg-1" }),
];
