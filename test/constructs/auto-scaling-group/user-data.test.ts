import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fn, Lazy } from "cdktf";
import { describe, expect, it } from "vitest";
import { UserData } from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { refusals } from "../../support/synth";
import { instances } from "./instances";

describe("user data", () => {
  it("is read from a file next to the code", () => {
    const path = join(mkdtempSync(join(tmpdir(), "user-data-")), "start.sh");
    writeFileSync(path, "echo hello\r\n");
    const { locals } = synthesize(instances({ userData: UserData.file(path) })) as { locals: Record<string, string> };
    expect(Object.values(locals)).toEqual(["#!/bin/bash\necho hello\n"]);
    expect(() => UserData.file(`${path}.none`)).toThrow(/ENOENT/);
  });

  it("is literal from its first line on", () => {
    const script = "#!/usr/bin/env ${SHELL} %{x}\necho ${HOME}\n";
    const { locals } = synthesize(instances({ userData: UserData.script(script) })) as { locals: object };
    expect(Object.values(locals)).toEqual(["#!/usr/bin/env $${SHELL} %%{x}\necho $${HOME}\n"]);
  });

  it("takes references in variables alone: its text is a program", () => {
    const script = `echo ${Fn.join("", ["x"])}\n`;
    expect(refusals(() => UserData.script(script))).toEqual(["PROP_KNOWN_AT_SYNTH script"]);
  });

  it("keeps references references", () => {
    const token = Lazy.stringValue({ produce: () => "known-later" });
    const platform = instances({ userData: UserData.script("run\n", { variables: { LATER: token } }) });
    expect(Object.values((synthesize(platform) as { locals: object }).locals)).toEqual([
      "#!/bin/bash\nexport LATER='known-later'\nrun\n",
    ]);
  });
});
