import { join } from "node:path";

/** Absolute paths of the data layer. */
export const dbFolder = join(import.meta.dirname, "..");
export const rootFolder = join(import.meta.dirname, "../..");
export const migrationsFolder = join(import.meta.dirname, "../migrations");
export const drizzleKitProgram = join(import.meta.dirname, "../../node_modules/drizzle-kit/bin.cjs");
export const backupsFolder = join(import.meta.dirname, "../backups");
