import { fileURLToPath } from "node:url";

/** Absolute paths of the data layer. */
export const dbFolder = fileURLToPath(new URL("..", import.meta.url));
export const rootFolder = fileURLToPath(new URL("../..", import.meta.url));
export const migrationsFolder = fileURLToPath(new URL("../migrations", import.meta.url));
export const drizzleKitProgram = fileURLToPath(new URL("../../node_modules/drizzle-kit/bin.cjs", import.meta.url));
