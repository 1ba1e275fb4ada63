import type { Construct } from "constructs";
import type { Environment, Guardrails } from "../core/environment";
import type { Profile } from "../core/profiles";
import { AwsStack } from "../core/stack";

export interface DeliveryStackProps {
  /** AWS region that images are kept in and built in. */
  readonly region: string;
  /**
   * AWS account, 12 digits.
   *
   * @default - whatever account the credentials are for
   */
  readonly account?: string;
  /**
   * State backend of Terraform: see Environment.
   *
   * @default "local"
   */
  readonly state?: Environment["state"];
  /**
   * Profile. Released images must be kept, so the default is production.
   *
   * @default "production"
   */
  readonly profile?: Exclude<Profile, "dev">;
  /** @default - none */
  readonly tags?: Readonly<Record<string, string>>;
  /**
   * Guardrails of the account's owner.
   *
   * @default - nothing
   */
  readonly guardrails?: Guardrails;
}

/**
 * The stack of what brings a service into all its environments: `<name>-delivery`.
 *
 * Costs nothing itself: see what is put into it.
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
