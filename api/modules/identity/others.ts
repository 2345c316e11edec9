import type { Tx } from "../../core/database/doors.ts";
import type { Module } from "../../core/modules.ts";
import type { UserContext } from "../../core/procedures.ts";

type Exporter = NonNullable<Module["exportUser"]>;
type Preparation = NonNullable<Module["beforeDeleteUser"]>;

type Adoption = NonNullable<Module["adoptUser"]>;

let exporters: Exporter[] = [];
let preparations: Preparation[] = [];
let adoptions: Adoption[] = [];

/** Takes over from the registry who else keeps something about a person: importing them here would be a cycle. */
export function composeOthers(modules: readonly Module[]): void {
  exporters = modules.flatMap(({ exportUser }) => exportUser ?? []);
  preparations = modules.flatMap(({ beforeDeleteUser }) => beforeDeleteUser ?? []);
  adoptions = modules.flatMap(({ adoptUser }) => adoptUser ?? []);
}

/** What the other modules keep about the user, each under names of its own. */
export async function exportFromModules(tx: Tx, userId: string): Promise<Record<string, unknown>> {
  const parts = await Promise.all(exporters.map((exportUser) => exportUser(tx, userId)));
  return Object.assign({}, ...parts);
}

/** Lets the other modules object to the deletion of the caller's account, or prepare for it. */
export async function prepareDeletion(ctx: UserContext, tx: Tx): Promise<void> {
  await Promise.all(preparations.map((prepare) => prepare(ctx, tx)));
}

/** Hands over what the other modules keep for a guest. */
export async function adoptFromModules(...[tx, change]: Parameters<Adoption>): Promise<void> {
  for (const adopt of adoptions) await adopt(tx, change);
}
