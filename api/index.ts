export type { AppRouter } from "./modules/registry.ts";
