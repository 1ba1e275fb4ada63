import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { EVERYTHING, serviceFiles } from "./support/repository";

// What can be said of a service by reading it. Every check is seen to find what it looks for.

type Files = ReadonlyMap<string, string>;
const service = serviceFiles(EVERYTHING);
const changed = (path: string, change: (text: string) => string): Files =>
  new Map(service).set(path, change(service.get(path) ?? ""));
const sources = (files: Files) => [...files].filter(([path]) => /^src\/.*\.ts$/.test(path));
const found = (files: Files, pattern: RegExp, except: string[] = []) =>
  sources(files).flatMap(([path, text]) => (pattern.test(text) && !except.includes(path) ? [path] : []));

describe("Codebase", () => {
  const environments = /\b(staging|production|NODE_ENV)\b/;

  it("knows no environment by its name: all deploys are the same code", () => {
    expect(found(service, environments)).toEqual([]);
    const branch = changed("src/app.ts", (text) => `${text}if (process.env.NODE_ENV === "staging") {}`);
    expect(found(branch, environments)).toEqual(["src/app.ts"]);
  });
});

describe("Dependencies", () => {
  /** Packages that a file imports and package.json does not declare for it. */
  function undeclared(files: Files): string[] {
    const { dependencies, devDependencies } = JSON.parse(files.get("package.json")!);
    return [...files].flatMap(([path, text]) => {
      if (!/\.m?ts$/.test(path)) return [];
      const known = path.startsWith("src/") ? dependencies : { ...dependencies, ...devDependencies };
      const imports = [...text.matchAll(/(?:from|import) ?\(?"([a-z@][^"]*)"/g)].map(([, name]) => name!);
      const packages = imports.map((name) =>
        name
          .split("/")
          .slice(0, name.startsWith("@") ? 2 : 1)
          .join("/"),
      );
      return packages.filter((name) => !name.startsWith("node:") && !(name in known)).map((name) => `${path}: ${name}`);
    });
  }

  it("are declared, those of the service itself as its own", () => {
    expect(undeclared(service)).toEqual([]);
    const more = changed("src/app.ts", (text) => `import "vitest";\n${text}`);
    expect(undeclared(more)).toEqual(["src/app.ts: vitest"]);
  });

  it("are exact, and run no code while they are installed", () => {
    const { dependencies, devDependencies } = JSON.parse(service.get("package.json")!);
    const versions = Object.values<string>({ ...dependencies, ...devDependencies });
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    expect(service.get(".npmrc")).toContain("ignore-scripts=true");
  });
});

describe("Config", () => {
  const reads = /process\.env|from "node:process"/;

  it("comes in at one place", () => {
    expect(found(service, reads)).toEqual(["src/process.ts"]);
    const another = changed("src/quotes.ts", (text) => `${text}export const rate = process.env.RATE;`);
    expect(found(another, reads)).toContain("src/quotes.ts");
  });

  it("leads to every backing service: no host stands in the code", () => {
    const hosts = /localhost|127\.0\.0\.1|https?:\/\/[a-z]/;
    expect(found(service, hosts, ["src/config-declaration.ts"])).toEqual([]);
    expect(
      found(
        changed("src/app.ts", (text) => `${text}// http://db`),
        hosts,
      ),
    ).toContain("src/app.ts");
  });
});

describe("Processes", () => {
  const writes = /\b(writeFile|appendFile|createWriteStream|mkdir)/;

  it("write no file", () => {
    expect(found(service, writes)).toEqual([]);
    expect(
      found(
        changed("src/app.ts", (text) => `${text}writeFileSync("a", "b")`),
        writes,
      ),
    ).toEqual(["src/app.ts"]);
  });
});

describe("Admin processes", () => {
  it("are no part of the start of the service", () => {
    const migrates = /admin\//;
    expect(found(service, migrates, ["src/admin/migrate.ts", "src/admin/seed.ts", "src/admin/console.ts"])).toEqual([]);
    const start = changed("src/main.ts", (text) => `import "./admin/migrate";\n${text}`);
    expect(found(start, migrates)).toContain("src/main.ts");
  });
});

describe("compose.yaml", () => {
  it("runs the service as the cloud does: read-only, from the Dockerfile, told to stop by a signal", () => {
    const { services } = parse(service.get("compose.yaml")!);
    for (const name of ["service", "worker"]) {
      expect(services[name]).toMatchObject({ build: ".", read_only: true, init: true });
    }
    expect(Object.keys(services).sort()).toEqual(["issuer", "postgres", "queue", "service", "valkey", "worker"]);
  });
});
