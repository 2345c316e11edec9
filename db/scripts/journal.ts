import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "./cli.ts";
import { type JournalEntry, readJournal } from "./migrations.ts";
import { migrationsFolder } from "./paths.ts";

interface Snapshot {
  id: string;
  prevId: string;
}

const beginning = "00000000-0000-0000-0000-000000000000";

/** What is wrong with journal, files and snapshots of a migrations folder, one line each. */
export function journalFindings(folder = migrationsFolder): string[] {
  const { entries, trouble } = readEntries(folder);
  if (trouble) return [trouble];
  return [...orderFindings(entries), ...fileFindings(folder, entries), ...chainFindings(folder, entries)];
}

function readEntries(folder: string): { entries: JournalEntry[]; trouble?: string } {
  try {
    return { entries: readJournal(folder) };
  } catch (error) {
    if (error instanceof Refusal) return { entries: [], trouble: error.message };
    throw error;
  }
}

function orderFindings(entries: JournalEntry[]): string[] {
  return entries.flatMap(({ idx, when, tag }, position) => {
    const before = entries[position - 1];
    const findings: string[] = [];
    if (idx !== position) findings.push(`${tag} has the number ${idx} and stands at ${position} in the journal`);
    if (before && when <= before.when) findings.push(`${tag} stands after ${before.tag} in the journal but is older`);
    if (entries.findIndex((entry) => entry.tag === tag) !== position) findings.push(`${tag} is in the journal twice`);
    return findings;
  });
}

function fileFindings(folder: string, entries: JournalEntry[]): string[] {
  const tags = new Set(entries.map(({ tag }) => tag));
  const snapshots = new Set(entries.map(({ tag }) => snapshotOf(tag)));
  const files = readdirSync(folder).filter((file) => file.endsWith(".sql"));
  const metaFiles = readdirSync(join(folder, "meta")).filter((file) => file.endsWith("_snapshot.json"));
  return [
    ...[...tags].filter((tag) => !files.includes(`${tag}.sql`)).map((tag) => `${tag}.sql is missing`),
    ...files.filter((file) => !tags.has(file.slice(0, -4))).map((file) => `${file} is not in the journal`),
    ...[...snapshots].filter((file) => !metaFiles.includes(file)).map((file) => `the snapshot meta/${file} is missing`),
    ...metaFiles.filter((file) => !snapshots.has(file)).map((file) => `meta/${file} belongs to no migration`),
  ];
}

/** Each snapshot names the one before it; two branches that were merged name the same one. */
function chainFindings(folder: string, entries: JournalEntry[]): string[] {
  let before: { tag: string; id: string } | undefined = { tag: "the beginning", id: beginning };
  return entries.flatMap(({ tag }) => {
    const snapshot = readSnapshot(join(folder, "meta", snapshotOf(tag)));
    const expected = before;
    before = snapshot && { tag, id: snapshot.id };
    if (!snapshot || !expected || snapshot.prevId === expected.id) return [];
    return [`${tag} was not generated on top of ${expected.tag}: two branches clash; generate it again`];
  });
}

function snapshotOf(tag: string): string {
  return `${tag.split("_")[0]}_snapshot.json`;
}

function readSnapshot(path: string): Snapshot | undefined {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}
