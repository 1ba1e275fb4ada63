import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { usePackage } from "../packed";
import { FakeAws } from "./fake-aws";

const { npm_lifecycle_event, NODE_OPTIONS, ...inherited } = process.env;

/** Variables of a command that finds no credentials on this machine. */
export const NO_CREDENTIALS: NodeJS.ProcessEnv = {
  ...inherited,
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_CONFIG_FILE: "/nonexistent",
  AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
  AWS_ACCESS_KEY_ID: undefined,
};

/** Flags that name a stack, so that a command needs no repository. */
export const PLACE = ["--stack", "orders", "--platform", "shop", "--region", "eu-central-1"];

/** Packed executable, and an empty folder to run it in. */
export interface Cli {
  /** Command line of the executable. */
  readonly command: (...args: readonly string[]) => string[];
  readonly folder: string;
  /** Folder of the unpacked package. */
  readonly packageFolder: string;
}

/** Unpacks the executable for the tests of a file. */
export function usePackedCli(): Cli {
  const packed = usePackage();
  let folder: string;
  beforeAll(() => {
    // The AWS SDK is an optional peer, which the user's repository installs beside the package.
    symlinkSync(join(__dirname, "../../../node_modules"), join(dirname(packed.folder), "node_modules"));
    folder = mkdtempSync(join(tmpdir(), "antifragile-cli-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return {
    command: (...args) => [process.execPath, packed.bin, ...args],
    get folder() {
      return folder;
    },
    get packageFolder() {
      return packed.folder;
    },
  };
}

/**
 * Unpacks the executable for the tests of a file, and starts an AWS for each test.
 *
 * @param useAws receives the AWS of the test that begins
 */
export function useCli(useAws: (aws: FakeAws) => void): Cli {
  const cli = usePackedCli();
  let aws: FakeAws;
  beforeEach(async () => {
    aws = await FakeAws.start();
    useAws(aws);
  });
  afterEach(() => aws.stop());
  return cli;
}
