import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./project.ts";

const workspaces = ["api", "db", "dev"];
const tsc = join(root, "node_modules/typescript/bin/tsc");

/** A copy of the sources in which the workspace packages mean the copy itself. */
export function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), "fairlead-removal-"));
  for (const name of ["tsconfig.json", "package.json", ...workspaces]) {
    const skip = new Set(["node_modules", "backups", "migrations", ".wrangler", ".pglite"]);
    cpSync(join(root, name), join(copy, name), {
      recursive: true,
      filter: (path) =>
        !path
          .slice(root.length)
          .split("/")
          .some((part) => skip.has(part)),
    });
  }
  for (const workspace of ["", ...workspaces]) linkPackages(workspace, copy);
  mkdirSync(join(copy, "node_modules/@repo"));
  for (const name of workspaces) symlinkSync(join(copy, name), join(copy, "node_modules/@repo", name));
  return copy;
}

function linkPackages(workspace: string, copy: string): void {
  const original = join(root, workspace, "node_modules");
  if (!existsSync(original)) return;
  mkdirSync(join(copy, workspace, "node_modules"));
  for (const name of readdirSync(original)) {
    if (name !== "@repo") symlinkSync(join(original, name), join(copy, workspace, "node_modules", name));
  }
}

/** The compiler's complaints about one workspace of the copy. */
function typecheck(copy: string, workspace: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const args = [tsc, "--noEmit", "--pretty", "false", "-p", join(copy, workspace)];
    const compiler = spawn(process.execPath, args, { cwd: copy, stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    compiler.stdout.on("data", (chunk) => {
      output += String(chunk);
    });
    compiler.once("error", reject);
    compiler.once("close", (code) => {
      const errors = output.split("\n").filter((line) => line.includes("error TS"));
      resolve(code === 0 ? [] : errors.length > 0 ? errors : [output || `tsc ended with ${code}`]);
    });
  });
}

/** The compiler's complaints about every workspace of the copy. */
export async function complaints(copy: string): Promise<string[]> {
  const found: string[] = [];
  for (const workspace of workspaces) found.push(...(await typecheck(copy, workspace)));
  return [...new Set(found)];
}
