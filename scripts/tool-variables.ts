/** A variable that a command beside the worker reads. */
export interface ToolVariable {
  name: string;
  /** What holds without it, as the page says it. */
  fallback: string;
  readBy: string;
  purpose: string;
}

/** Every variable that code beside the worker reads; the page docs/environment-variables.md is made from it. */
export const toolVariables: ToolVariable[] = [
  {
    name: "ENVIRONMENT",
    fallback: "`NODE_ENV`, then `dev`",
    readBy: "`bun db:*`",
    purpose:
      "The environment that a command works on: `dev`, `test`, `staging` or `prod`. The scripts ending in `:staging` and `:prod` set it.",
  },
  {
    name: "NODE_ENV",
    fallback: "`dev`",
    readBy: "`bun db:*`",
    purpose: "Stands in for `ENVIRONMENT` where that is not set.",
  },
  {
    name: "DATABASE_URL",
    fallback: "in dev: the embedded PGlite",
    readBy: "`bun db:*`, `bun dev`",
    purpose:
      "Address of a Postgres, as its owner; `postgres://` or `postgresql://`. Needed for staging and prod. With it, `bun dev` runs on that Postgres instead of PGlite.",
  },
  {
    name: "PORT",
    fallback: "default: `8787`",
    readBy: "`bun dev`",
    purpose: "Port of the API; the four after it are the local Hyperdrive's: cached, direct, for tools, HTTP.",
  },
  {
    name: "PGLITE_DIR",
    fallback: "default: `db/.pglite`",
    readBy: "`bun dev`, `bun db:*`",
    purpose: "Folder of the embedded database. One process at a time may hold it.",
  },
  {
    name: "DB_PORT",
    fallback: "default: `5432`",
    readBy: "`bun db:start`",
    purpose: "Port of the Postgres in Docker, for those who want one.",
  },
  {
    name: "FAIRLEAD_DEV",
    fallback: "`bun dev` sets it",
    readBy: "the worker's process under `bun dev`",
    purpose: "Process id of `bun dev`; the worker ends once that process is gone.",
  },
  {
    name: "TEST_DATABASE",
    fallback: "the embedded PGlite",
    readBy: "`bun run test`",
    purpose: "`postgres` runs the tests on a real Postgres 17 of their own; `bun run test:postgres` sets it.",
  },
  {
    name: "FUZZ_STREAMS",
    fallback: "default: `3000`",
    readBy: "`bun run test`",
    purpose: "How many malformed streams the local Hyperdrive is sent on each database.",
  },
  {
    name: "INTERLEAVINGS",
    fallback: "default: `1000`",
    readBy: "`bun run test`",
    purpose: "How many random interleavings of clients the local Hyperdrive has to stand on each database.",
  },
  {
    name: "DIFFERENCE_SCRIPTS",
    fallback: "default: `200`",
    readBy: "`bun run test`",
    purpose: "How many random scripts each door of the local Hyperdrive has to answer as Postgres itself does.",
  },
  {
    name: "CI",
    fallback: "optional",
    readBy: "`bun run verify`, `.ci/run`",
    purpose: "Set by build machines: nothing asks questions.",
  },
];
