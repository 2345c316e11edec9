import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "db",
    include: ["**/*.test.ts"],
    // One database serves all files; each makes rows of its own.
    globalSetup: ["./test/global-setup.ts"],
    testTimeout: 30_000,
  },
});
