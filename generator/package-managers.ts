/** Package manager of a generated repository. */
export type PackageManager = "npm" | "pnpm";

interface PackageManagerFacts {
  readonly label: string;
  readonly lockFile: string;
  /** Arguments of the first install. They override settings of the user that would leave the repository without a lock file. */
  readonly installArgs: readonly string[];
  /** Command of a user for the first install. */
  readonly install: string;
  /** Command that installs exactly the lock file, on a machine with npm alone. */
  readonly ci: string;
  /** Separates the arguments of a script from those of the package manager. */
  readonly separator: string;
  /** Runs an executable of a dependency. */
  readonly exec: string;
}

/** Version of pnpm that generated repositories pin and that is tested. */
export const PNPM_VERSION = "10.34.9";

export const PACKAGE_MANAGERS: Readonly<Record<PackageManager, PackageManagerFacts>> = {
  npm: {
    label: "npm",
    lockFile: "package-lock.json",
    installArgs: [
      "install",
      "--include=dev",
      "--no-audit",
      "--no-fund",
      "--package-lock=true",
      "--package-lock-only=false",
      "--dry-run=false",
      "--global=false",
      "--workspaces=false",
      "--bin-links=true",
      "--color=false",
      "--loglevel=http",
    ],
    install: "npm install",
    ci: "npm ci",
    separator: "-- ",
    exec: "npx",
  },
  pnpm: {
    label: "pnpm",
    lockFile: "pnpm-lock.yaml",
    installArgs: [
      "install",
      "--prod=false",
      "--no-frozen-lockfile",
      "--config.lockfile=true",
      "--config.global=false",
      "--reporter=append-only",
    ],
    install: "pnpm install",
    ci: `npx --yes pnpm@${PNPM_VERSION} install --frozen-lockfile`,
    separator: "",
    exec: "pnpm exec",
  },
};

/** Reason why a package manager is not supported, by its name. */
export const UNSUPPORTED: Readonly<Record<string, string>> = {
  yarn: "yarn is not supported: its Plug'n'Play install has no node_modules, which the image and the infrastructure need",
  bun: "bun is not supported: the service runs on Node.js, and bun.lock cannot be installed by the image build",
};

/** Package manager that started this process, by npm_config_user_agent: `pnpm/10.34.9 npm/? node/v24...`. */
export function callingPackageManager(env: NodeJS.ProcessEnv): string | undefined {
  return /^([a-z]+)\//.exec(env.npm_config_user_agent ?? "")?.[1];
}

/** The package manager of a caller, if it is supported. */
export function callerOf(name: string | undefined): PackageManager | undefined {
  return name === "npm" || name === "pnpm" ? name : undefined;
}

/** Writes a command of a package manager: `install`, `ci`, `test`, or a script with its arguments. */
export function commandOf(manager: PackageManager, script: string, args = ""): string {
  const { install, ci, separator, exec } = PACKAGE_MANAGERS[manager];
  if (script === "install") return install;
  if (script === "ci") return ci;
  if (script === "exec") return `${exec} ${args}`;
  if (script === "test") return `${manager} test`;
  return `${manager} run ${script}${args === "" ? "" : ` ${separator}${args}`}`;
}
