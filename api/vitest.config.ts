import { builtinModules } from "node:module";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const external = [...builtinModules.flatMap((name) => [name, `node:${name}`]), "cloudflare:sockets", "pg-native"];

export default defineConfig({
  plugins: [
    cloudflareTest(({ inject }) => ({
      wrangler: { configPath: "../wrangler.toml" },
      miniflare: {
        // For tests of limits; the worker's own are too wide to reach.
        ratelimits: { TIGHT_LIMIT: { namespace_id: "tight", simple: { limit: 5, period: 10 } } },
        hyperdrives: { HYPERDRIVE_CACHED: inject("cached"), HYPERDRIVE_DIRECT: inject("direct") },
        bindings: {
          ENVIRONMENT: "test",
          DB_TRACE: "on",
          AUTH_SECRET: "a secret of the tests, long enough for the check",
          APP_URL: "http://127.0.0.1:8787",
          OWNER_URL: inject("owner"),
        },
      },
    })),
  ],
  test: {
    name: "api",
    include: ["**/*.test.{ts,tsx}"],
    globalSetup: ["./test/global-setup.ts"],
    setupFiles: ["./test/setup.ts"],
    silent: "passed-only",
    // Bounds a hang; how long work takes on a busy machine is no finding.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    deps: { optimizer: { ssr: { enabled: true, include: ["pg"], rolldownOptions: { external } } } },
  },
});
