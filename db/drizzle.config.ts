import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "postgresql",
  schema: "./schema/index.ts",
  out: "./migrations",
  casing: "snake_case",
  migrations: { prefix: "timestamp" },
  entities: { roles: false },
  dbCredentials: { url: process.env.DATABASE_URL ?? "" },
});
