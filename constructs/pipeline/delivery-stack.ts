import type { Construct } from "constructs";
import { checkArguments } from "../core/check-types";
import type { Environment, Guardrails } from "../core/environment";
import type { Profile } from "../core/profiles";
import { AwsStack } from "../core/stack";

export interface DeliveryStackProps {
  /** AWS region where images are built and stored. */
  readonly region: string;
  /**
   * AWS account id, 12 digits.
   *
   * @default - the account of the credentials
   */
  readonly account?: string;
  /**
   * State backend of Terraform: see Environment.
   *
   * @default "local"
   */
  readonly state?: Environment["state"];
  /**
   * Profile of the stack. Released images must be kept, so the default is production.
   *
   * @default "production"
   */
  readonly profile?: Exclude<Profile, "dev">;
  /** @default - none */
  readonly tags?: Readonly<Record<string, string>>;
  /**
   * Requirements of the account's owner.
   *
   * @default - none
   */
  readonly guardrails?: Guardrails;
}

/**
 * The stack for the delivery of a service to all its environments: `<name>-delivery`.
 *
 * Costs nothing itself: see the constructs that you create in it.
 *
 * @example
 * ```ts
 * const delivery = new DeliveryStack(app, "orders", { region: "eu-central-1" });
 * new ImageRepository(delivery, "Images", { keep: 100 });
 * ```
 * @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/Repositories.html
 */
export class DeliveryStack extends AwsStack {
  constructor(scope: Construct, name: string, props: DeliveryStackProps) {
    checkArguments("new DeliveryStack", { name, props });
    super(scope, name, {
      lifetime: "delivery",
      tags: props.tags,
      environment: {
        name: "delivery",
        region: props.region,
        account: props.account,
        state: props.state,
        profile: props.profile ?? "production",
        guardrails: props.guardrails,
      },
    });
  }
}
