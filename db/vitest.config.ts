import { testFiles } from "@repo/dev/test/choice";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "db",
    include: testFiles(import.meta.dirname),
    // One database serves all files; each makes rows of its own.
    globalSetup: ["./test/global-setup.ts"],
    // Many run a command or two, each a process of its own, on whatever machine there is.
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
