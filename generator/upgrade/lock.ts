import { createHash } from "node:crypto";
import type { PackageManager } from "../package-managers";

/**
 * Lock file for another package at the same or another path: npm reads an entry that is not there from the package, pnpm compares
 * the package with its hash. The next install writes the rest.
 */
export function lockWith(manager: PackageManager, lock: string, path: string, packed: Buffer): string {
  if (manager === "pnpm") {
    const integrity = `sha512-${createHash("sha512").update(packed).digest("base64")}`;
    return lock.replace(/integrity: [^,}\s]+(?=, tarball: file:([^}\s]+)\})/g, (old, tarball) =>
      tarball === path ? `integrity: ${integrity}` : old,
    );
  }
  try {
    const content = JSON.parse(lock);
    delete content.packages["node_modules/antifragile"];
    return `${JSON.stringify(content, null, 2)}\n`;
  } catch {
    return lock;
  }
}
