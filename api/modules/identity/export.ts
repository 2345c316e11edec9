import type { Tx } from "../../core/database/doors.ts";
import type { Module } from "../../core/modules.ts";

type Exporter = NonNullable<Module["exportUser"]>;

let exporters: Exporter[] = [];

/** Takes over from the registry who else keeps something about a person: importing them here would be a cycle. */
export function composeExports(modules: readonly Module[]): void {
  exporters = modules.flatMap(({ exportUser }) => exportUser ?? []);
}

/** What the other modules keep about the user, each under names of its own. */
export async function exportFromModules(tx: Tx, userId: string): Promise<Record<string, unknown>> {
  const parts = await Promise.all(exporters.map((exportUser) => exportUser(tx, userId)));
  return Object.assign({}, ...parts);
}
