import { AnnotationMetadataEntryType, App as CdktfApp } from "cdktf";
import type { IConstruct } from "constructs";

/**
 * The root of all stacks of a program. Writing them (`synth`) tells what is legal and will hurt, one line each on standard error;
 * CDK for Terraform itself keeps that in a file which only its own command line reads.
 *
 * Costs nothing.
 *
 * @example
 * ```ts
 * const app = new App();
 * new Platform(app, "shop", { environment });
 * app.synth();
 * ```
 * @see https://developer.hashicorp.com/terraform/cdktf/concepts/cdktf-architecture#app-class
 */
export class App extends CdktfApp {
  override synth(): void {
    super.synth();
    for (const warning of warningsOf(this)) process.stderr.write(`! ${warning}\n`);
  }
}

/** All warnings below a construct, each with the path of what it is about; the same words are told once. */
export function warningsOf(root: IConstruct): readonly string[] {
  const contract = root.node
    .findAll()
    .flatMap((construct) =>
      construct.node.metadata
        .filter(({ type }) => type === AnnotationMetadataEntryType.WARN)
        .map(({ data }) => `${construct.node.path}: ${data}`),
    );
  return [...new Set(contract)];
}
