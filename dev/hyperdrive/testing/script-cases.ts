import type { Script, Sent } from "./script.ts";

const SYNC: Sent = ["Sync"];
const run = (name: string): Sent[] => [["Bind", "", name], ["Execute", ""], SYNC];
const prepared = (name: string) => ({ send: [["Parse", name, "select 'first'"], SYNC] satisfies Sent[], waits: true });

/** What once was heard otherwise at a door. */
export const CASES: Record<string, Script> = {
  "a name is free again whose Parse fails in the pipeline before": [
    { send: [["Parse", "s", "selec"], SYNC, ["Parse", "s", "select 1"], SYNC, ...run("s")] },
  ],
  "a taken name is told after what else is wrong, and keeps its statement": [
    prepared("s"),
    { send: [["Parse", "s", "selec"], SYNC, ["Parse", "s", "select 2"], SYNC, ...run("s")] },
  ],
  "a taken name is told after an aborted transaction": [
    prepared("s"),
    { send: [["Query", "begin"], ["Query", "selec"], ["Parse", "s", "select 2"], SYNC], waits: true },
    { send: [["Query", "rollback"], ...run("s")] },
  ],
  "a statement that a session lacks is there behind a pipeline that failed": [
    prepared("s"),
    { send: [["Parse", "", "selec"], ...run("s"), ...run("s")], crowds: true },
  ],
  "an unnamed statement that a session lacks is there behind a pipeline that failed": [
    prepared(""),
    { send: [["Bind", "", "missing"], ...run(""), ...run("")], crowds: true },
  ],
  "an unnamed statement outlives a Parse and a Query that were ignored": [
    prepared(""),
    { send: [["Bind", "", "missing"], ["Parse", "", "select 2"], SYNC, ...run("")], crowds: true },
    { send: [["Bind", "", "missing"], ["Query", "select 3"], SYNC, ...run("")], waits: true, crowds: true },
    { send: run("") },
  ],
  "a statement outlives a Close that was ignored": [
    prepared("s"),
    { send: [["Bind", "", "missing"], ["Close", "S", "s"], SYNC, ["Parse", "s", "select 2"], SYNC, ...run("s")] },
    { send: [["Bind", "", "missing"], ["Close", "S", "s"], ["Parse", "s", "select 2"], SYNC, ...run("s")] },
  ],
  "a statement whose Parse was ignored is missing under its own name": [
    { send: [["Bind", "", "missing"], ["Parse", "s", "select 2"], SYNC, ["Describe", "S", "s"], SYNC] },
  ],
};
