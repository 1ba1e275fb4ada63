import { DataAwsArn } from "@cdktf/provider-aws/lib/data-aws-arn";
import { Fn } from "cdktf";
import type { Construct } from "constructs";
import { literal } from "./literal";
import { isReference } from "./reference";

/** Parts of an ARN. */
interface ArnParts {
  readonly region: string;
  readonly account: string;
  /** Name of the resource. */
  readonly name: string;
}

/**
 * Reads the parts of an ARN, also of one that is known only at apply; undefined if another one does not match the pattern.
 *
 * @param pattern of the whole ARN, with groups for region, account and name
 * @param prefix precedes the name in the ARN: `table/`
 */
export function arnParts(scope: Construct, arn: string, pattern: RegExp, prefix = ""): ArnParts | undefined {
  if (!isReference(arn)) {
    const [, region, account, name] = pattern.exec(arn) ?? [];
    return region && account && name ? { region, account, name } : undefined;
  }
  const { region, account, resource } = new DataAwsArn(scope, "Arn", { arn: literal(arn) });
  // By position, as other functions need quotes, and the name is part of JSON documents.
  return { region, account, name: prefix === "" ? resource : Fn.substr(resource, prefix.length, -1) };
}
