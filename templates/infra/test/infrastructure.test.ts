import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, chooseEnvironments } from "antifragile";
import { synthesize } from "antifragile/testing";
import { describe, expect, it } from "vitest";
import { environments } from "../environments";
import { infrastructure } from "../infrastructure";

const app = new App({ outdir: mkdtempSync(join(tmpdir(), "infra-test-")) });
infrastructure(app, chooseEnvironments(environments, undefined, "infra/environments.ts").chosen);
const stacks = app.node.children.filter((child) => "prepareStack" in child);

describe("the infrastructure", () => {
  it.each(stacks.map((stack) => [stack.node.id, stack] as const))("of %s is what was reviewed", async (id, stack) => {
    const compiled = JSON.stringify(synthesize(stack as Parameters<typeof synthesize>[0]), undefined, 2);
    await expect(`${compiled}\n`).toMatchFileSnapshot(`__snapshots__/${id}.snap.json`);
  });
});
