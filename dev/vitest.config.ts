import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "dev",
    include: ["**/*.test.ts"],
    // Each file may run a Postgres and a PGlite of its own; PGlite takes half a gigabyte and a whole core.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
