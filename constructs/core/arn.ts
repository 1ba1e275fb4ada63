import { DataAwsArn } from "@cdktf/provider-aws/lib/data-aws-arn";
import { Fn } from "cdktf";
import type { Construct } from "constructs";
import { literal } from "./literal";

/** Parts of an ARN that is known only at apply. */
export interface ArnParts {
  readonly region: string;
  readonly account: string;
  /** Name of the resource. */
  readonly name: string;
}

/**
 * Reads the parts of an ARN that is known only at apply.
 *
 * @param prefix precedes the name in the ARN: `table/`
 */
export function arnParts(scope: Construct, arn: string, prefix = ""): ArnParts {
  const { region, account, resource } = new DataAwsArn(scope, "Arn", { arn: literal(arn) });
  // By position, as other functions need quotes, and the name is part of JSON documents.
  return { region, account, name: prefix === "" ? resource : Fn.substr(resource, prefix.length, -1) };
}
