/** Rules of a security group, which may close before others open. */
export const SECURITY_GROUP_RULES: Readonly<Record<string, "in" | "out">> = {
  aws_vpc_security_group_ingress_rule: "in",
  aws_vpc_security_group_egress_rule: "out",
};

/** Attributes of a rule that define its peers. */
export const PEERS = ["cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"] as const;

/** Attributes that decide what a rule of a security group lets through. */
export const OPENING = ["from_port", "to_port", "ip_protocol", ...PEERS] as const;
