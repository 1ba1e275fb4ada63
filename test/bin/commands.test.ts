import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { commands } from "../../bin/commands";
import { completionOf } from "../../bin/completion";
import { main } from "../../bin/main";
import { start } from "../../bin/start";
import { UserError } from "../../contract/user-error";
import type { Context } from "../../generator/context";
import { environmentsIn, stacksOfEnvironment } from "../../operations/synthesized";
import { commandsPage } from "../../scripts/docs-commands";

const folder = mkdtempSync(join(tmpdir(), "antifragile-commands-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Output of a command line. */
async function printed(...words: string[]): Promise<{ code: number; text: string }> {
  let text = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((chunk, ...rest: unknown[]) => {
    text += String(chunk);
    for (const each of rest) if (typeof each === "function") each();
    return true;
  });
  try {
    return { code: await main(words), text };
  } finally {
    write.mockRestore();
  }
}

const context = (cwd: string, more: Partial<Context> = {}) => {
  const lines: string[] = [];
  const own = { args: [], cwd, print: (text: string) => lines.push(text), stdinIsTerminal: false, ...more };
  return { context: own as unknown as Context, text: () => lines.join("") };
};

describe("help", () => {
  it.each(Object.entries(commands))("of %s fits into 100 columns", async (name, { load }) => {
    const { context: own, text } = context(folder, { args: ["--help"], columns: () => 100 });
    expect(await (await load())(own)).toBe(0);
    expect(text()).toMatch(new RegExp(`^Usage: antifragile ${name}`));
    expect(
      text()
        .split("\n")
        .filter((line) => line.length > 100),
    ).toEqual([]);
  });

  it("of a command is printed by help as well", async () => {
    const { code, text } = await printed("help", "release");
    expect(code).toBe(0);
    expect(await printed("release", "--help")).toEqual({ code, text });
    expect(text).toContain("--image-file FILE");
  });

  it("of all commands fits into 100 columns and lists each", async () => {
    const { text } = await printed("help");
    expect(text.split("\n").filter((line) => line.length > 100)).toEqual([]);
    for (const name of Object.keys(commands)) expect(text).toContain(`\n  ${name} `);
  });
});

describe("completion", () => {
  const script = async (shell: string) => {
    const { context: own, text } = context(folder, { args: [shell] });
    expect(await completionOf(commands)(own)).toBe(0);
    return text();
  };
  /** Words that bash offers after a command line; the last word is the one to complete. */
  const offered = (completion: string, ...words: string[]) => {
    const line = words.map((word) => `'${word}'`).join(" ");
    const ask = `${completion}\nCOMP_WORDS=(antifragile ${line}); COMP_CWORD=${words.length}; _antifragile; echo "\${COMPREPLY[*]}"`;
    return spawnSync("bash", ["-c", ask]).stdout.toString().trim().split(" ");
  };

  it("offers commands and the flags of each in bash", async () => {
    const bash = await script("bash");
    expect(offered(bash, "rel")).toEqual(["release", "releases"]);
    expect(offered(bash, "help", "dri")).toEqual(["drift"]);
    expect(offered(bash, "release", "--image")).toEqual(["--image", "--image-file"]);
    expect(offered(bash, "new", "--no-g")).toEqual(["--no-git"]);
  });

  it("has every command and every flag in zsh and fish, quoted", async () => {
    const [zsh, fish] = [await script("zsh"), await script("fish")];
    for (const [name, { load }] of Object.entries(commands)) {
      expect(zsh).toContain(`'${name}:`);
      for (const flag of Object.keys((await load()).spec.flags)) {
        expect(zsh).toContain(`'--${flag}:`);
        expect(fish).toContain(`-n '__fish_seen_subcommand_from ${name}' -l ${flag} `);
      }
    }
    expect(zsh).toContain("environment'\\''s services");
    expect(fish).toContain("environment\\'s services");
  });

  it("refuses another shell and suggests the nearest", async () => {
    await expect(completionOf(commands)(context(folder, { args: ["fihs"] }).context)).rejects.toThrow(
      /must be one of bash, zsh, fish; did you mean fish\?/,
    );
  });
});

describe("antifragile without a command", () => {
  it("lists the next commands in a generated repository, with its environments", async () => {
    const root = join(folder, "orders");
    synthesized(join(root, "infra", "cdktf.out"), { qa: ["platform", "service"], "pre-production": ["service"] });
    writeFileSync(join(root, "infra", "main.ts"), "");
    mkdirSync(join(root, "scripts"));
    writeFileSync(join(root, "scripts", "image.ts"), "");
    const { context: own, text } = context(root);
    const status = async ({ print }: { readonly print: (text: string) => void }) => {
      print("orders  dev  7\n");
      return 0;
    };
    expect(await start(own, status)).toBe(0);
    expect(text()).toMatch(/antifragile ship (qa|pre-production) /);
    expect(text()).toMatch(/^orders {2}dev {2}7\n\nEnvironments: (qa, pre-production|pre-production, qa)\n/);
    const named = [...text().matchAll(/^ {2}antifragile (\S+)/gm)].map(([, name]) => name);
    expect(named.filter((name) => name !== "help" && !Object.hasOwn(commands, name as string))).toEqual([]);
    expect(text()).toMatch(/antifragile deploy (qa|pre-production) /);
  });

  it("lists them also where the status cannot be read, and says why", async () => {
    const { context: own, text } = context(join(folder, "orders"));
    const refused = () => Promise.reject(new UserError("no AWS credentials", 1));
    expect(await start(own, refused)).toBe(0);
    expect(text()).toMatch(/^status is not available: no AWS credentials\n\nEnvironments: /);
  });

  it("starts new only in an empty folder with a terminal", async () => {
    const empty = join(folder, "empty");
    mkdirSync(empty);
    expect(await start(context(empty).context)).toBeUndefined();
    expect(await start(context(folder, { stdinIsTerminal: true, stdoutIsTerminal: true }).context)).toBeUndefined();
    const asked = context(empty, {
      stdinIsTerminal: true,
      stdoutIsTerminal: true,
      env: {},
      prompter: () => {
        throw new Error("asked");
      },
    });
    await expect(start(asked.context)).rejects.toThrow();
  });
});

it("suggests the environment that was misspelled", () => {
  const outdir = join(folder, "cdktf.out");
  synthesized(outdir, { "pre-production": ["data", "service"] });
  expect(environmentsIn(outdir)).toEqual(["pre-production"]);
  expect(() => stacksOfEnvironment("pre-producton", outdir)).toThrow(
    /no environment "pre-producton"; did you mean pre-production\?/,
  );
});

/** Writes the synthesized stacks of environments, by their lifetimes. */
function synthesized(outdir: string, environments: Readonly<Record<string, readonly string[]>>): void {
  const stacks: Record<string, object> = {};
  for (const [Environment, lifetimes] of Object.entries(environments)) {
    for (const lifetime of lifetimes) {
      const name = `orders-${Environment}-${lifetime}`;
      stacks[name] = { dependencies: [] };
      mkdirSync(join(outdir, "stacks", name), { recursive: true });
      const aws = [{ region: "eu-central-1", default_tags: [{ tags: { Environment } }] }];
      writeFileSync(join(outdir, "stacks", name, "cdk.tf.json"), JSON.stringify({ provider: { aws } }));
    }
  }
  writeFileSync(join(outdir, "manifest.json"), JSON.stringify({ stacks }));
}

it("docs/commands.md is current; if not, run npm run docs", async () => {
  expect(readFileSync(join(__dirname, "../../docs/commands.md"), "utf8")).toBe(await commandsPage());
});
