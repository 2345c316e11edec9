import { defineConfig } from "vitest/config";
import { testFiles } from "./test/choice.ts";

export default defineConfig({
  test: {
    name: "dev",
    include: testFiles(import.meta.dirname),
    // Each file may run a Postgres and a PGlite of its own; PGlite takes half a gigabyte and a whole core.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
