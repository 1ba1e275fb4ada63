/** One of everything. `PROFILE` and `VERSION` select its settings; `EXISTING` is what was there before, invented by default. */
import { DatabaseBackup, Duration, type Profile } from "../../../constructs";
import { addChanging } from "../../contract/support/changing";
import { type Changed, everything } from "../../contract/support/everything";
import { writeDeployingRoles } from "../../iam/recorded/deploying";

const { PROFILE = "production", VERSION = "1", CHANGING = "0", EXISTING } = process.env;

const old = { version: "16" } as const;
const upgraded = { version: "17", applyImmediately: true } as const;
const FIRST: Changed = { database: old, ledger: old, cache: { replicas: 1 }, zones: 2 };
const SECOND: Changed = {
  database: upgraded,
  ledger: upgraded,
  restored: { ...old, restoreFrom: DatabaseBackup.snapshot("orders-before-17") },
  cache: { replicas: 2, node: "cache.t4g.small", applyImmediately: true },
  events: { visibility: Duration.seconds(90) },
  zones: 3,
};

const existing = EXISTING === undefined ? undefined : JSON.parse(EXISTING);
const changed: Changed = {
  ...(VERSION === "1" ? FIRST : SECOND),
  more: (platform) => addChanging(platform, CHANGING === "0" ? 0 : 1),
};
// The key is chosen from the start, as a database or a cache keeps it.
const app = everything(PROFILE as Profile, existing, changed, "customer-managed");
app.synth();
writeDeployingRoles(app, { dev: PROFILE as Profile, staging: PROFILE as Profile });
