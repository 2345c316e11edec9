import type { Message, RawClient } from "./raw-client.ts";
import { encode, endsInReady, type Script, type Step } from "./script.ts";

/** Silence after which the reference counts as done: too short, it only makes the doors wait for less. */
const QUIET_MS = 4;
/** A bound that is there to fail: that long nothing came of what Postgres had answered. */
const HUNG_MS = 4000;
const END = "the end of the script";

/** Leaves whatever a script has left open, and says so. */
const LAST: Step = {
  send: [["CopyFail", "over"], ["Sync"], ["Query", "rollback"], ["Query", `select '${END}'`]],
};

export interface Hearing {
  messages: Message[];
  /** How many messages had come after each step. */
  counts: number[];
}

/** Plays a script at Postgres itself: what it says, and by when, is what the doors are held to. */
export async function playReference(client: RawClient, script: Script): Promise<Hearing> {
  client.messages.length = 0;
  const counts: number[] = [];
  let owed = 0;
  for (const step of script) {
    client.send(...step.send.map(encode));
    owed += step.send.filter(endsInReady).length;
    if (step.waits === true) await settled(client, owed);
    counts.push(step.waits === true ? client.messages.length : 0);
  }
  client.send(...LAST.send.map(encode));
  while (!hasEnded(client) && (await client.next(HUNG_MS)));
  return { messages: client.messages.slice(), counts };
}

/** Plays it at a door; `crowd` is called where another client is to come between. */
export async function play(
  client: RawClient,
  script: Script,
  { counts, crowd }: { counts: readonly number[]; crowd: () => Promise<void> },
): Promise<Message[]> {
  client.messages.length = 0;
  for (const [at, step] of script.entries()) {
    if (step.crowds === true) await crowd();
    client.send(...step.send.map(encode));
    while (client.messages.length < (counts[at] ?? 0)) if (!(await client.next(HUNG_MS))) break;
  }
  client.send(...LAST.send.map(encode));
  while (!hasEnded(client) && (await client.next(HUNG_MS)));
  return client.messages.slice();
}

async function settled(client: RawClient, owed: number): Promise<void> {
  const isDone = () => client.messages.at(-1)?.type === "Z" && readyIn(client.messages) === owed;
  while (!isDone() && (await client.next(QUIET_MS)));
}

function readyIn(messages: readonly Message[]): number {
  return messages.filter(({ type }) => type === "Z").length;
}

function hasEnded({ messages, closed }: RawClient): boolean {
  return closed || (messages.at(-1)?.type === "Z" && messages.at(-3)?.body.includes(END) === true);
}
