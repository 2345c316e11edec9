import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { listFiles, readText, root } from "./project.ts";

/** Published advisories, and the first version without the fault. docs/security.md says what each was. */
const fixedIn: [advisory: string, name: string, version: string][] = [
  ["GHSA-8jhw-6pjj-8723", "better-auth", "1.1.6"],
  ["GHSA-9x4v-xfq5-m8x5", "better-auth", "1.1.16"],
  ["GHSA-hjpm-7mrm-26w8", "better-auth", "1.1.20"],
  ["GHSA-vp58-j275-797x", "better-auth", "1.1.21"],
  ["GHSA-36rg-gfq2-3h56", "better-auth", "1.2.10"],
  ["GHSA-99h5-pjcv-gr6v", "better-auth", "1.3.26"],
  ["GHSA-wmjr-v86c-m9jj", "better-auth", "1.4.0"],
  ["GHSA-569q-mpph-wgww", "better-auth", "1.4.2"],
  ["GHSA-x732-6j76-qmhm", "better-auth", "1.4.5"],
  ["GHSA-xg6x-h9c9-2m83", "better-auth", "1.4.9"],
  ["GHSA-p6v2-xcpg-h6xw", "better-auth", "1.4.17"],
  ["GHSA-wxw3-q3m9-c3jr", "better-auth", "1.6.2"],
  ["GHSA-2vg6-77g8-24mp", "better-auth", "1.6.11"],
  ["GHSA-cq3f-vc6p-68fh", "better-auth", "1.6.11"],
  ["GHSA-fmh4-wcc4-5jm3", "better-auth", "1.6.11"],
  ["GHSA-g38m-r43w-p2q7", "better-auth", "1.6.11"],
  ["GHSA-hc7v-rggr-4hvx", "better-auth", "1.6.11"],
  ["GHSA-9h47-pqcx-hjr4", "better-auth", "1.6.11"],
  ["GHSA-pw9m-5jxm-xr6h", "better-auth", "1.6.11"],
  ["GHSA-86j7-9j95-vpqj", "better-auth", "1.6.13"],
  ["GHSA-qq9h-g4jm-xgf3", "better-auth", "1.6.22"],
  ["GHSA-q84f-53jg-9ppm", "better-auth", "1.7.0"],
  ["GHSA-44jh-23m7-hpcf", "@better-auth/drizzle-adapter", "1.7.7"],
  ["GHSA-965c-763c-88jm", "better-auth", "1.7.7"],
  ["GHSA-r4xp-prcw-77qf", "better-auth", "1.7.7"],
  // Below these, several at once.
  ["as published", "better-auth", "1.7.16"],
  ["as published", "hono", "4.12.34"],
  ["as published", "@trpc/server", "11.8.0"],
  ["as published", "drizzle-orm", "0.45.2"],
];

/** Advisories of packages that are not here at all. */
const elsewhere: Record<string, string[]> = {
  "@better-auth/oauth-provider": [
    "GHSA-xr8f-h2gw-9xh6",
    "GHSA-7w99-5wm4-3g79",
    "GHSA-392p-2q2v-4372",
    "GHSA-p2fr-6hmx-4528",
  ],
  "@better-auth/scim": ["GHSA-j8v8-g9cx-5qf4", "GHSA-rjg6-39jm-rgg4"],
  "@better-auth/sso": [
    "GHSA-5rr4-8452-hf4v",
    "GHSA-gv74-j8m3-fg5f",
    "GHSA-8c5h-wx78-2cfg",
    "GHSA-mx9r-x6ww-qjw9",
    "GHSA-prpr-5gj3-qqhg",
  ],
  "@better-auth/stripe": ["GHSA-h3rm-78g3-j7cp"],
};

/** What is on of better-auth. Whoever adds a plugin reads its advisories first. */
const plugins = ["anonymous", "bearer", "email-otp", "two-factor"];

function installed(name: string): string {
  return JSON.parse(readText(join("node_modules", name, "package.json"))).version;
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

for (const [name, advisories] of Object.entries(elsewhere)) {
  test(`${name} is not installed: ${advisories.join(", ")}`, () => {
    assert.ok(!existsSync(join(root, "node_modules", name)));
  });
}

test("no plugin of better-auth is on but those whose advisories were read", () => {
  const sources = listFiles("api/modules/identity/auth/*.ts").map(readText);
  const used = sources.flatMap((source) => [...source.matchAll(/from "better-auth\/plugins(?:\/([\w-]+))?"/g)]);
  assert.deepEqual([...new Set(used.map(([, name]) => name))].sort(), plugins);
});

test("docs/security.md lists them", () => {
  const page = readText("docs/security.md");
  for (const [advisory, , version] of fixedIn) {
    if (advisory !== "as published") assert.match(page, new RegExp(`${advisory}.*${version.replaceAll(".", "\\.")}`));
  }
  for (const [name, advisories] of Object.entries(elsewhere)) {
    for (const advisory of advisories) assert.match(page, new RegExp(`${name}.*${advisory}`));
  }
});
