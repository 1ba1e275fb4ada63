import { AnnotationMetadataEntryType, type AppConfig, App as CdktfApp } from "cdktf";
import type { IConstruct } from "constructs";
import { checkArguments } from "./check-types";
import { type EnvironmentDefaults, provideEnvironmentDefaults } from "./environment";

export interface AppProps extends AppConfig {
  /**
   * Values of every environment of the app that sets none of its own: `{ account: "123456789012", state: "s3" }`. They also
   * apply to a DeliveryStack.
   *
   * @default - none
   */
  readonly environmentDefaults?: EnvironmentDefaults;
}

/**
 * The root of all stacks of a program. Synthesizing it with `synth` prints each warning on one line of standard error; CDK
 * for Terraform itself writes warnings only to a file that its own CLI reads.
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
  constructor(props: AppProps = {}) {
    checkArguments("new App", { props }); // before CDK for Terraform reads them
    super(props);
    const { environmentDefaults } = props;
    if (environmentDefaults !== undefined) provideEnvironmentDefaults(this, environmentDefaults);
  }

  override synth(): void {
    super.synth();
    for (const warning of warningsOf(this)) process.stderr.write(`! ${warning}\n`);
  }
}

/** Returns all warnings below a construct, each with the path of its construct. Identical warnings appear once. */
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
