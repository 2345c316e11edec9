import { isolations } from "../isolation/suite/isolations.ts";
import { scoreOf } from "../isolation/suite/mutants.ts";
import { fill } from "../isolation/suite/rows.ts";
import { openScratch } from "../isolation/suite/scratch.ts";
import { runCommand } from "./cli.ts";

const usage = `bun run mutate:policies [--verbose]

Breaks every policy in every way, one at a time and in a database of its own, and asks the isolation suite each time.
Exit code 1 unless it notices every one.
  --verbose  a line for each`;

await runCommand({
  usage,
  options: { verbose: { type: "boolean", default: false } },
  async run({ verbose }) {
    const { sql, close } = await openScratch("pglite");
    try {
      const stored = await fill(sql, isolations);
      const onJudged = verbose
        ? ({ name }: { name: string }, verdict: string) => console.log(`${verdict.padEnd(9)} ${name}`)
        : undefined;
      const { caught, invalid, equivalent, survived, wronglyExcused } = await scoreOf(
        { sql, stored },
        isolations,
        onJudged,
      );
      for (const [name, reason] of equivalent) console.log(`equivalent  ${name}\n            ${reason}`);
      for (const name of survived) console.error(`SURVIVED    ${name}`);
      for (const name of wronglyExcused) console.error(`declared equivalent, and is not: ${name}`);
      const judged = caught + survived.length;
      const score = `${((100 * caught) / judged).toFixed(1)} %`;
      console.log(
        `${caught} of ${judged} broken policies noticed: ${score} (${equivalent.size} equivalent, ${invalid.length} that Postgres refuses)`,
      );
      if (survived.length + wronglyExcused.length > 0) process.exitCode = 1;
    } finally {
      await close();
    }
  },
});
