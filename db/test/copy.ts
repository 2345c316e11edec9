import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runToEnd } from "@repo/dev/test/programs";
import { dbFolder, rootFolder } from "../scripts/paths.ts";

export interface Copy {
  folder: string;
  /** Writes a file of `db`. */
  write(file: string, text: string): void;
  /** Changes a file of `db`. */
  edit(file: string, change: (text: string) => string): void;
  /** Runs one of the copy's commands to its end. */
  run(
    command: string,
    args?: string[],
    variables?: NodeJS.Dict<string>,
  ): Promise<{ code: number | string; output: string }>;
}

/** A copy of `db` whose schema a test may change, with its own migrations and commands. */
export function copyOfDb(): Copy {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-copy-"));
  cpSync(dbFolder, join(folder, "db"), {
    recursive: true,
    filter: (path) => !/\/(\.pglite|backups|node_modules)/.test(path),
  });
  symlinkSync(join(rootFolder, "node_modules"), join(folder, "node_modules"));
  const write = (file: string, text: string) => writeFileSync(join(folder, "db", file), text);
  return {
    folder,
    write,
    edit: (file, change) => write(file, change(readFileSync(join(folder, "db", file), "utf8"))),
    run: (command, args = [], variables = {}) =>
      runToEnd([join(folder, `db/scripts/${command}.ts`), ...args], variables),
  };
}
