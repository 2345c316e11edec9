import { defineConfig } from "vitest/config";

/** Every workspace's tests in one run: the worker's in workerd, the others in Node. */
export default defineConfig({ test: { projects: ["*/vitest.config.ts"] } });
