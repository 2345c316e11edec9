import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

/** Published advisories, and the first version without the fault. docs/security.md says what each was. */
const fixedIn: [advisory: string, name: string, version: string][] = [
  ["CVE-2025-61928", "better-auth", "1.3.26"],
  ["GHSA-x732-6j76-qmhm", "better-auth", "1.4.5"],
  ["GHSA-xg6x-h9c9-2m83", "better-auth", "1.4.9"],
  ["GHSA-p6v2-xcpg-h6xw", "better-auth", "1.4.17"],
  ["GHSA-cq3f-vc6p-68fh", "better-auth", "1.6.11"],
  ["GHSA-qq9h-g4jm-xgf3", "better-auth", "1.6.22"],
  // Below these, several at once.
  ["as published", "better-auth", "1.7.16"],
  ["as published", "hono", "4.12.34"],
  ["as published", "@trpc/server", "11.8.0"],
  ["as published", "drizzle-orm", "0.45.2"],
];

function installed(name: string): string {
  const path = join(import.meta.dirname, "../../node_modules", name, "package.json");
  return JSON.parse(readFileSync(path, "utf8")).version;
}

function isAtLeast(version: string, floor: string): boolean {
  const [a, b] = [version, floor].map((text) => text.split(".").map(Number));
  const differs = a?.findIndex((part, index) => part !== b?.[index]) ?? -1;
  return differs < 0 || (a?.[differs] ?? 0) > (b?.[differs] ?? 0);
}

test("versions are compared number by number", () => {
  assert.ok(isAtLeast("1.10.0", "1.9.9"));
  assert.ok(isAtLeast("1.7.16", "1.7.16"));
  assert.ok(!isAtLeast("1.7.15", "1.7.16"));
  assert.ok(!isAtLeast("1.6.99", "1.7.0"));
});

for (const [advisory, name, version] of fixedIn) {
  test(`${name} is past ${advisory}, fixed in ${version}`, () => {
    assert.ok(isAtLeast(installed(name), version), `${name} ${installed(name)} is installed`);
  });
}

test("docs/security.md lists them", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/security.md"), "utf8");
  for (const [advisory, , version] of fixedIn) {
    if (advisory !== "as published") assert.match(page, new RegExp(`${advisory}.*${version.replaceAll(".", "\\.")}`));
  }
});
