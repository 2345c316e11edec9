import { confirm, Refusal, runCommand } from "./cli.ts";
import { isLocal, readTarget, type Target } from "./env.ts";
import { readHistory } from "./history.ts";
import { migrateDatabase, pendingMigrations, pushedMessage, withOwner } from "./migrator.ts";
import { resetDatabase } from "./reset.ts";

export { migrateDatabase, migrationCount, pendingMigrations } from "./migrator.ts";

const usage = `bun db:migrate[:staging|:prod] [--dry-run] [--yes] [--folder <path>]

Applies the migrations that the database does not have yet, in order, each file in a transaction of its own. Shows them
first; asks in prod. Of two at once, one waits.
  --dry-run  shows what is to come, and changes nothing
  --yes      asks nothing
  --folder   another folder of migrations than db/migrations`;

interface Flags {
  yes: boolean;
  dryRun: boolean;
  folder?: string;
}

async function run(flags: Flags): Promise<void> {
  const target = readTarget();
  refusePooler(target);
  const { openDatabase } = await import("@repo/dev/database");
  const database = await openDatabase(target);
  try {
    console.log(`${target.environment}: ${database.description}`);
    const pending = await pendingMigrations(database.owner, flags.folder);
    if (await offerReset(target, database.owner, pending.length > 0)) return;
    if (pending.length === 0) return console.log("up to date");
    for (const name of pending) console.log(`  ${name}`);
    if (flags.dryRun) return console.log(`${pending.length} to apply; nothing was changed`);
    if (target.environment === "prod" && !flags.yes) await confirm(`Apply ${pending.length} to prod?`);
    const applied = await migrateDatabase(database.owner, {
      ...(flags.folder ? { folder: flags.folder } : {}),
      onApplied: (tag, seconds) => console.log(`applied ${tag} in ${seconds.toFixed(1)} s`),
    });
    console.log(applied > 0 ? `applied ${applied}` : "applied by another db:migrate meanwhile");
  } finally {
    await database.close();
  }
}

/** A transaction pooler hands each statement to another session: neither the lock nor the timeouts would hold. */
function refusePooler({ databaseUrl }: Target): void {
  if (databaseUrl && /-pooler\./.test(new URL(databaseUrl).hostname)) {
    throw new Refusal(
      "DATABASE_URL leads to a pooler: migrations need the direct address, without -pooler in its host.",
    );
  }
}

/** After db:push: says so, and makes the database anew when the answer is yes. Returns whether it did. */
async function offerReset(target: Target, owner: string, isBehind: boolean): Promise<boolean> {
  const { isPushed } = await withOwner(owner, readHistory);
  if (!isPushed) return false;
  if (!process.stdin.isTTY || !isLocal(target.environment)) {
    if (isBehind) throw new Refusal(pushedMessage);
    console.log("db:push has changed this database beside the migrations: bun db:reset makes it anew.");
    return false;
  }
  await confirm(
    "db:push has changed this database beside the migrations. Delete its data and make it anew (db:reset)?",
  );
  console.log(`${target.environment}: applied ${await resetDatabase(owner)} migrations, and the demo data`);
  return true;
}

if (import.meta.main) {
  await runCommand({
    usage,
    options: {
      yes: { type: "boolean", default: false },
      "dry-run": { type: "boolean", default: false },
      folder: { type: "string" },
    },
    run: ({ yes, "dry-run": dryRun, folder }) => run({ yes, dryRun, ...(folder ? { folder } : {}) }),
  });
}
