import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { checkExport } from "./backup/file.ts";
import { reportOnStderr } from "./backup/progress.ts";
import { findObstacle, restoreDatabase } from "./backup/restore-database.ts";
import { confirm, Refusal, runCommand } from "./cli.ts";
import { readTarget } from "./env.ts";
import { backupsFolder } from "./paths.ts";

const usage = `bun db:restore[:staging|:prod] <file> [--yes]

Puts an export of db:export back, in one transaction: afterwards every table's rows add up as they did, or nothing has
changed. Asks before it replaces anything, and always in prod. The file is SQL that runs as the owner: restore none that
you do not trust.
  <file>  a path from the root, or a name in db/backups
  --yes   asks nothing`;

async function run(yes: boolean, name: string | undefined): Promise<void> {
  if (!name) throw new Refusal("Which file? (--help shows the options)");
  const target = readTarget();
  const path = existsSync(name) ? name : resolve(backupsFolder, name);
  const { head, sums } = await checkExport(path);
  const { openDatabase } = await import("@repo/dev/database");
  const database = await openDatabase(target);
  try {
    console.error(`${target.environment}: ${database.description}`);
    const obstacle = await findObstacle(database.owner, { head, sums });
    const what = `the export of ${head.environment} from ${head.createdAt.slice(0, 16).replace("T", " ")} UTC`;
    if (!yes && (obstacle || target.environment === "prod")) {
      await confirm(`${obstacle ? `Replace ${obstacle}` : "Fill it"} with ${what}?`);
    }
    await restoreDatabase({ url: database.owner, path, head, sums, report: reportOnStderr() });
    console.log(`restored ${what}: ${Object.keys(sums).length} tables, every row as it was`);
  } finally {
    await database.close();
  }
}

if (import.meta.main) {
  await runCommand({
    usage,
    options: { yes: { type: "boolean", default: false } },
    maxArguments: 1,
    run: ({ yes }, [name]) => run(yes, name),
  });
}
