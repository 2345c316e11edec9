import { spawnSync } from "node:child_process";
import { Refusal } from "./cli.ts";
import { dbFolder, drizzleKitProgram } from "./paths.ts";

/**
 * Runs `drizzle-kit generate` in `db`. On a terminal, where `asks` is set, it may ask whether something was renamed.
 * @throws Refusal when it fails, or would have to ask and can't.
 */
export function drizzleKitGenerate(flags: string[], { asks = false } = {}): void {
  const isInteractive = asks && process.stdin.isTTY;
  const { status, stdout, stderr } = spawnSync(process.execPath, [drizzleKitProgram, "generate", ...flags], {
    cwd: dbFolder,
    encoding: "utf8",
    stdio: isInteractive ? "inherit" : ["ignore", "pipe", "pipe"],
  });
  const output = `${stdout ?? ""}${stderr ?? ""}`.trim();
  // It ends with 0 all the same.
  if (/Interactive prompts require a TTY/.test(output)) {
    throw new Refusal(
      "Something was added and something else taken away: renamed? Run it in a terminal, where it can ask.",
    );
  }
  if (status !== 0) throw new Refusal(`drizzle-kit ended with ${status}:\n${output}`);
  if (asks && !isInteractive) console.log(output.split("\n").at(-1));
}
