import { describe, expect, it } from "vitest";
import { experimentGate } from "../../../constructs/chaos";
import { App, type EnvironmentDefaults } from "../../../constructs/core";
import { DeliveryStack, ImageRepository, Pipeline, Source } from "../../../constructs/pipeline";
import { Platform } from "../../../constructs/platform";
import { synthesize } from "../../../constructs/testing";
import { PRODUCTION, refusals } from "../../support/synth";

const account = "123456789012";

describe("environmentDefaults of an App", () => {
  it("are those of each stack whose environment sets no value of its own", () => {
    const app = new App({ environmentDefaults: { account, state: "s3" } });
    const own = { ...PRODUCTION, account: "210987654321", state: "local" as const };
    const stacks = [
      new Platform(app, "shop", { environment: PRODUCTION }),
      new DeliveryStack(app, "orders", { region: "eu-central-1" }),
      new Platform(app, "bank", { environment: own }),
    ];
    expect(stacks.map(({ environment }) => [environment.account, environment.state])).toEqual([
      [account, "s3"],
      [account, "s3"],
      ["210987654321", "local"],
    ]);
    expect(stacks[0]!.toTerraform().terraform.backend).toMatchObject({
      s3: { bucket: `antifragile-state-${account}-eu-central-1` },
    });
  });

  it("are checked for their types where they are set", () => {
    const defaults = { account: 123456789012, registryMirror: ["a"] } as unknown as EnvironmentDefaults;
    expect(refusals(() => new App({ environmentDefaults: defaults }))).toEqual([
      "PROP_TYPE environmentDefaults.account",
      "PROP_TYPE environmentDefaults.registryMirror",
    ]);
  });

  it("reach the gates of a pipeline, and platforms of other repositories", () => {
    const app = new App({ environmentDefaults: { account, state: "s3", guardrails: { namePrefix: "acme" } } });
    const gate = experimentGate("Loses", { environment: PRODUCTION, stack: "orders" });
    expect(JSON.stringify(gate.permissions?.(app))).toContain('"aws:ResourceTag/Name":"acme-orders-production-loses"');
    expect(JSON.stringify(gate.permissions?.(app))).toContain(`:${account}:experiment-template/*`);
    expect(Platform.existing(app, "shop", { environment: PRODUCTION }).environment.account).toBe(account);
  });

  it("are checked as values of each environment", () => {
    const app = new App({ environmentDefaults: { account: "12" } });
    expect(refusals(() => new Platform(app, "shop", { environment: PRODUCTION }))).toEqual([
      "ENVIRONMENT_ACCOUNT environment.account",
    ]);
  });

  const releasedBy = (delivery: DeliveryStack, environment = PRODUCTION) =>
    new Pipeline(delivery, "Pipeline", {
      source: Source.codeCommit("orders"),
      images: new ImageRepository(delivery, "Images"),
      releases: [{ environment }],
    });

  it("reach the environments of a pipeline", () => {
    const app = new App({ environmentDefaults: { account, state: "s3" } });
    const delivery = new DeliveryStack(app, "orders", { region: "eu-central-1" });
    new Platform(app, "shop", { environment: PRODUCTION });
    releasedBy(delivery);
    expect(() => synthesize(delivery)).not.toThrow();
  });

  it("are the remedy where a pipeline lacks the account", () => {
    const app = new App();
    const environment = { ...PRODUCTION, account, state: "s3" as const };
    const delivery = new DeliveryStack(app, "orders", { region: "eu-central-1" });
    const act = () => releasedBy(delivery, environment);
    expect(act).toThrow(/Set account in both, or for all: new App\(\{ environmentDefaults/);
  });
});
