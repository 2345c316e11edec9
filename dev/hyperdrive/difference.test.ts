import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Hyperdrive } from "./index.ts";
import { play, playReference } from "./testing/player.ts";
import { errorOf, q, RawClient } from "./testing/raw-client.ts";
import type { Script } from "./testing/script.ts";
import { CASES } from "./testing/script-cases.ts";
import { GROUND, LASTING } from "./testing/script-sql.ts";
import { type Range, scriptsOf } from "./testing/scripts.ts";
import { eventually, openSetting, type Setting } from "./testing/setting.ts";
import { forgiven, transcript } from "./testing/transcript.ts";
import { createClock } from "./watch/clock.ts";
import type { Door } from "./watch/stats.ts";

const SCRIPTS = Number(process.env.DIFFERENCE_SCRIPTS ?? 200);
const SEED = 20_261_130;
const LIMIT_MS = 60_000 + 500 * SCRIPTS;
const OWNER = "fairlead_owner";
let setting: Setting;

beforeAll(async () => {
  setting = await openSetting("postgres");
  const admin = await setting.connect(setting.url);
  const { rows } = await admin.query("show hba_file");
  // A raw client knows no password, and statistics that come by themselves would change plans.
  await admin.query(`copy (select 'host all all 127.0.0.1/32 trust') to '${rows[0]?.hba_file}'`);
  await admin.query("alter system set autovacuum = off");
  await admin.query("select pg_reload_conf()");
  await eventually(async () => (await admin.query("show autovacuum")).rows[0]?.autovacuum === "off");
  await admin.query(LASTING);
});
afterEach(() => setting.tidy());
afterAll(() => setting.close());

/** Plays scripts at Postgres itself and at one door, as the same role on the same tables. */
class Comparison {
  readonly #hyperdrive: Hyperdrive;
  readonly #door: Door;
  readonly #range: Range;
  readonly #user: string;
  #reference: RawClient | null = null;
  #keeper: RawClient | null = null;
  #crowd: RawClient | null = null;

  constructor(hyperdrive: Hyperdrive, door: Door, range: Range) {
    this.#hyperdrive = hyperdrive;
    this.#door = door;
    this.#range = range;
    this.#user = door === "origin" ? OWNER : "app";
  }

  /** What is heard at each of the two. */
  async hear(script: Script): Promise<{ expected: string[]; heard: string[] }> {
    const reference = await this.#openReference();
    const { messages, counts } = await playReference(reference, script);
    // Else what it has locked would have the door wait.
    if (!reference.closed) await reference.ask([q("discard all")]);
    await this.#clear();
    const client = await this.#open();
    const answers = await play(client, script, { counts, crowd: () => this.#toggleCrowd() });
    client.socket.destroy();
    const [expected, heard] = [transcript(messages), transcript(answers)];
    return { expected, heard: this.#range === "dedicated" ? heard : forgiven(heard, expected) };
  }

  end(): void {
    for (const client of [this.#reference, this.#keeper, this.#crowd]) client?.socket.destroy();
  }

  #open(): Promise<RawClient> {
    return RawClient.open(this.#hyperdrive.ports[this.#door], this.#user);
  }

  /** A session as new, on tables as new. Where nothing is written they stay, and the cache with them. */
  async #openReference(): Promise<RawClient> {
    const isFirst = this.#reference === null;
    if (this.#reference === null || this.#reference.socket.destroyed) {
      const port = Number(new URL(setting.url).port);
      // The name under which the Hyperdrive logs in.
      const settings = { database: "fairlead", application_name: "hyperdrive" };
      this.#reference = await RawClient.open(port, this.#user, settings);
    }
    if (isFirst || this.#range !== "reading") await prepareGround(this.#reference);
    await this.#reference.ask([q("discard all")]);
    return this.#reference;
  }

  /** Through the Hyperdrive, so that it knows of it. */
  async #clear(): Promise<void> {
    if (this.#range === "reading") return;
    const door = this.#door === "cached" ? "direct" : this.#door;
    this.#keeper ??= await RawClient.open(this.#hyperdrive.ports[door], this.#user);
    await prepareGround(this.#keeper);
  }

  /** Somebody else holds a session, or no longer does: the next that a client gets is another. */
  async #toggleCrowd(): Promise<void> {
    if (this.#door === "origin") return;
    if (this.#crowd !== null) {
      this.#crowd.socket.destroy();
      this.#crowd = null;
      return;
    }
    this.#crowd = await this.#open();
    await this.#crowd.ask([q("begin")]);
  }
}

async function prepareGround(client: RawClient): Promise<void> {
  const error = errorOf(await client.ask([q(GROUND)]));
  if (error !== null) throw new Error(`the tables could not be made anew: ${error.M}`);
}

async function hold(door: Door, range: Range, hyperdrive: Hyperdrive): Promise<void> {
  const comparison = new Comparison(hyperdrive, door, range);
  for (const [name, script] of Object.entries(CASES)) {
    const { expected, heard } = await comparison.hear(script);
    expect(heard, name).toEqual(expected);
  }
  const property = fc.asyncProperty(scriptsOf(range), async (script) => {
    const { expected, heard } = await comparison.hear(script);
    expect(heard).toEqual(expected);
  });
  await fc.assert(property, { numRuns: SCRIPTS, seed: SEED });
  comparison.end();
}

/** An hour passes at each look, so that nothing is found in the cache. */
function hurriedClock() {
  let now = 0;
  return createClock(() => {
    now += 3_600_000;
    return now;
  });
}

describe("a client hears what Postgres itself would say", () => {
  it("at the direct door", async () => hold("direct", "pooled", await setting.start()), LIMIT_MS);

  it(
    "at the cached door, past a cache in which nothing stays",
    async () => hold("cached", "pooled", await setting.start({ cache: {}, clock: hurriedClock() })),
    LIMIT_MS,
  );

  it(
    "at the cached door, from the cache, where nobody writes",
    async () => {
      const hyperdrive = await setting.start({ cache: {} });
      await hold("cached", "reading", hyperdrive);
      const records = hyperdrive.instruments.log.queries(null);
      expect(records.filter(({ status }) => status === "hit").length).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );

  it("at the origin door", async () => hold("origin", "dedicated", await setting.start()), LIMIT_MS);
});
