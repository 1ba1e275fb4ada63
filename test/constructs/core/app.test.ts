import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Annotations } from "cdktf";
import { describe, expect, it, vi } from "vitest";
import { App, AwsStack } from "../../../constructs";
import { DEV } from "../../support/synth";

describe("App", () => {
  it("prints warnings, each once and with its construct path", () => {
    const app = new App({ outdir: mkdtempSync(join(tmpdir(), "antifragile-app-")) });
    const stack = new AwsStack(app, "audit", { environment: DEV, lifetime: "data" });
    Annotations.of(stack).addWarning("this will hurt  [HURTS]");
    Annotations.of(stack).addWarning("this will hurt  [HURTS]");
    const written: string[] = [];
    const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
    try {
      app.synth();
    } finally {
      spy.mockRestore();
    }
    expect(written).toEqual(["! audit-dev-data: this will hurt  [HURTS]\n"]);
  });
});
