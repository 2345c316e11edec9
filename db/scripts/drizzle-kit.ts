import { type StdioOptions, spawnSync } from "node:child_process";
import { Refusal } from "./cli.ts";
import { dbFolder, drizzleKitProgram } from "./paths.ts";

/**
 * Runs `drizzle-kit generate` in `db`. Where it has to ask whether something was renamed, and `asks` is set, it does so on
 * the terminal.
 * @returns its last line; nothing when that stands on the terminal. @throws Refusal when it fails, or can't ask.
 */
export function drizzleKitGenerate(flags: string[], { asks = false } = {}): string {
  const { status, stdout, stderr } = spawnGenerate(flags, ["ignore", "pipe", "pipe"]);
  const output = `${stdout ?? ""}${stderr ?? ""}`.trim();
  // It ends with 0 all the same.
  if (/Interactive prompts require a TTY/.test(output)) {
    if (!asks || !process.stdin.isTTY) {
      throw new Refusal(
        "Something was added and something else taken away: renamed? Run it in a terminal, where it can ask.",
      );
    }
    if (spawnGenerate(flags, "inherit").status !== 0) throw new Refusal("drizzle-kit wrote nothing.");
    return "";
  }
  if (status !== 0) throw new Refusal(`drizzle-kit ended with ${status}:\n${output}`);
  return output.split("\n").at(-1) ?? "";
}

function spawnGenerate(flags: string[], stdio: StdioOptions) {
  return spawnSync(process.execPath, [drizzleKitProgram, "generate", ...flags], {
    cwd: dbFolder,
    encoding: "utf8",
    stdio,
  });
}
