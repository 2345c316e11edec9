import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const checkEveryMs = 500;

interface Link {
  child: number;
  parent: number;
}

/**
 * Calls `lost` when one of the package runners that started this process (`bun run`, and `npx` or another above it) is
 * gone: killed, they leave their children running. Returns how to stop watching.
 */
export function onRunnerLost(lost: () => void): () => void {
  const links = runnersAbove();
  if (links.length === 0) return () => {};
  const timer = setInterval(() => {
    if (links.every(({ child, parent }) => parentOf(child) === parent)) return;
    clearInterval(timer);
    lost();
  }, checkEveryMs);
  return () => clearInterval(timer);
}

/** From this process up to the highest package runner; a shell counts only between two of them. */
function runnersAbove(): Link[] {
  const links: Link[] = [];
  let child = process.pid;
  let highest = 0;
  for (;;) {
    const parent = parentOf(child);
    const command = parent === undefined || parent <= 1 ? "" : commandOf(parent);
    const isRunner = /^\S*\b(bun|bunx|npm|npx|pnpm|yarn)(\.\w+)?\s|\b(npm|npx|pnpm|yarn)(-cli)?\.c?js\b/.test(command);
    if (parent === undefined || !(isRunner || /^\S*sh\s+-c\s/.test(command))) return links.slice(0, highest);
    links.push({ child, parent });
    if (isRunner) highest = links.length;
    child = parent;
  }
}

function parentOf(pid: number): number | undefined {
  if (process.platform === "win32") return undefined;
  if (process.platform !== "linux") return Number(ps("ppid", pid)) || undefined;
  try {
    // The name, in parentheses, may hold anything.
    return Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[1]);
  } catch {
    return undefined;
  }
}

function commandOf(pid: number): string {
  if (process.platform !== "linux") return `${ps("command", pid)} `;
  try {
    return `${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")} `;
  } catch {
    return "";
  }
}

function ps(column: "ppid" | "command", pid: number): string {
  return spawnSync("ps", ["-o", `${column}=`, "-p", String(pid)], { encoding: "utf8" }).stdout?.trim() ?? "";
}
