import type { Answer } from "../pool/answer.ts";
import type { Identity } from "../pool/errand.ts";
import type { Session } from "../pool/session.ts";
import type { PreparedStatements } from "../prepared/prepared.ts";
import type { Observer } from "../watch/observer.ts";
import { readBind, readExecute, readQuery } from "../wire/messages.ts";
import { type Bytes, CLIENT, readyForQuery, STATUS } from "../wire/protocol.ts";
import { cacheKey, type KeyParts } from "./cache.ts";
import type { Verdict } from "./cacheability.ts";
import { Capture, type Refusal } from "./capture.ts";
import type { Edge, Question } from "./edge.ts";
import { composed, type Flight, isBeginning, keyOf, readFlight, runsAll, selfContained, simpleKey } from "./flight.ts";

/** What to do with a message: it is kept for now, goes its usual way, is answered, or these go their usual way instead. */
export type Step = "kept" | "pass" | { answer: Buffer } | { replay: Buffer[] };

export interface GateOptions {
  edge: Edge;
  user: string;
  database: string;
  location: number;
  identity: Identity;
  prepared: PreparedStatements;
  observer: Observer;
}

const READY = readyForQuery(STATUS.idle);
const TWO_FLIGHTS =
  "an unnamed statement that is prepared in one flight and bound in the next, as postgres.js sends it with prepare: false";

/** Stands before the cached door's pool, for one client: answers from the cache what the cache holds, and fills it. */
export class Gate {
  readonly #options: GateOptions;
  #flight: Buffer[] = [];
  #letters = "";
  #capture: Capture | null = null;
  /** What was found out about the flight that is being replayed. */
  #judged: Refusal | null = null;
  #openness: Refusal | null = null;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** A flight whose answer may be kept is under way: what follows is judged after it. */
  get isWaiting(): boolean {
    return this.#capture?.isComplete === true;
  }

  /** A message of a client that has no session. */
  offer(message: Buffer): Step {
    const letter = String.fromCharCode(message[0] ?? 0);
    if (letter === "Q" && this.#letters === "") return this.#offerSimple(message);
    const letters = this.#letters + letter;
    if (!isBeginning(letters)) return this.#letters === "" ? "pass" : { replay: [...this.#take(), message] };
    this.#letters = letters;
    this.#flight.push(message);
    return letter === "S" ? this.#judgeFlight(this.#take()) : "kept";
  }

  /** A message on its way to the client's session. */
  passing(message: Buffer, session: Session): void {
    const { prepared } = this.#options;
    switch (message[0] ?? 0) {
      case CLIENT.bind:
        this.#bindPasses(readBind(message), session);
        break;
      case CLIENT.execute: {
        const sql = prepared.portal(readExecute(message))?.sql ?? "";
        this.#runPasses(sql, runsAll(message) ? "E" : "");
        break;
      }
      case CLIENT.query:
        this.#openness = opennessOf(session, prepared.hasRun);
        this.#runPasses(readQuery(message), "Q");
        break;
      case CLIENT.sync:
        this.#capture?.synced();
        break;
      case CLIENT.close:
        this.#drop();
        break;
      default:
    }
  }

  /** What was found out about a query that gets no session. */
  unserved(): Pick<Refusal, "status"> {
    return this.#judged ?? { status: this.#capture === null ? "uncacheable" : "miss" };
  }

  deliver(bytes: readonly Buffer[]): void {
    this.#capture?.answer.push(bytes);
  }

  /** The session is free again: the answer under way is complete. */
  finish(): void {
    const capture = this.#capture;
    // Before its own messages the edge may have sent some, to give the session its user.
    if (capture === null || !capture.isOver) return;
    this.#capture = null;
    if (!capture.isSpoilt) capture.keep(this.#options.edge, this.#options.observer);
  }

  /** The client is gone, or has cancelled what waits: the answers that come next are to other questions. */
  abandon(): void {
    this.#capture = null;
    this.#judged = null;
    this.#openness = null;
    this.#take();
  }

  #take(): Buffer[] {
    const flight = this.#flight;
    this.#flight = [];
    this.#letters = "";
    return flight;
  }

  #offerSimple(message: Buffer): Step {
    const { edge, prepared } = this.#options;
    const sql = readQuery(message);
    const verdict = edge.judge(sql);
    if (!verdict.isCacheable) return this.#refuse(verdict, [message]);
    if (!edge.rules.simpleProtocol) {
      const reason = "it came by the simple protocol, of which the documentation says nothing";
      return this.#refuse({ status: "uncacheable", reason }, [message]);
    }
    const question = this.#question(simpleKey(sql), null, () => [message]);
    const hit = this.#hit(question, { verdict, needsDescription: true });
    if (hit === null) return this.#miss(question, verdict, { messages: [message], expects: "Q" });
    prepared.forgetUnnamed();
    return { answer: Buffer.concat([hit.description ?? Buffer.alloc(0), hit.rows, hit.complete, READY]) };
  }

  #judgeFlight(messages: Buffer[]): Step {
    const flight = readFlight(messages);
    if (flight === null) return { replay: messages };
    const { prepared, edge } = this.#options;
    const { parse, statement, bound } = flight;
    const handle = parse !== null || statement === "" ? undefined : prepared.find(statement);
    const source = parse ?? handle?.statement;
    if (source === undefined) return { replay: messages };
    const verdict = edge.judge(source.sql);
    if (!verdict.isCacheable) return this.#refuse(verdict, messages);
    const told = flight.isDescribed ? null : (handle?.told ?? null);
    const question = this.#question(keyOf(source, bound), told, () => selfContained(source, bound));
    const hit = this.#hit(question, { verdict, needsDescription: flight.isDescribed, flight });
    if (hit === null) return this.#miss(question, verdict, { messages, expects: "BES" });
    return { answer: composed(hit, flight) };
  }

  #question(parts: Omit<KeyParts, "user" | "database">, told: Buffer | null, flight: () => Buffer[]): Question {
    const { user, database, location, identity, observer } = this.#options;
    const { request } = observer;
    const key = cacheKey({ user, database, ...parts });
    return { key, location, database, sql: parts.sql, request, identity, told, flight };
  }

  #hit(question: Question, { verdict, needsDescription, flight }: Wanted): Answer | null {
    const { edge, observer, prepared } = this.#options;
    const found = edge.find(question);
    if (found === null || (needsDescription && found.result.description === null)) return null;
    if (flight?.parse && !prepared.adopt(flight.parse)) return null;
    const { rows, complete } = found.result;
    observer.record(question.sql, {
      status: "hit",
      reason: found.isStale ? "stale, served while it is refreshed" : "fresh",
      doubt: verdict.doubt,
      ageMs: found.ageMs,
      resultBytes: rows.length + complete.length,
      location: question.location,
    });
    edge.followUp(question, found);
    return found.result;
  }

  #miss(
    question: Question,
    { doubt }: Cacheable,
    { messages, expects }: { messages: Buffer[]; expects: string },
  ): Step {
    const { edge } = this.#options;
    this.#capture = new Capture({ question, doubt, expects, isWhole: messages.length > 0 }, edge);
    return { replay: messages };
  }

  #refuse({ status, reason }: Refusal, replay: Buffer[]): Step {
    this.#judged = { status, reason };
    return { replay };
  }

  #bindPasses({ portal, statement, tail }: ReturnType<typeof readBind>, session: Session): void {
    const capture = this.#capture;
    if (capture?.expected("B") === true) return;
    this.#drop();
    const { prepared, edge } = this.#options;
    this.#openness = opennessOf(session, prepared.hasRun);
    if (this.#openness !== null) return;
    const handle = statement === "" || portal !== "" ? undefined : prepared.find(statement);
    if (handle === undefined) {
      this.#openness = {
        status: "uncacheable",
        reason: portal === "" ? TWO_FLIGHTS : "it runs through a named portal",
      };
      return;
    }
    const { statement: source, told } = handle;
    const verdict = edge.judge(source.sql);
    if (!verdict.isCacheable || capture !== null) return;
    const question = this.#question(keyOf(source, tail), told, () => selfContained(source, tail));
    this.#miss(question, verdict, { messages: [], expects: "ES" });
  }

  /** A statement is about to run at the origin. */
  #runPasses(sql: Bytes, letter: string): void {
    if (letter !== "" && this.#capture?.expected(letter) === true) return;
    this.#drop();
    const { edge, observer } = this.#options;
    const verdict = this.#judged ?? edge.judge(sql);
    this.#judged = null;
    if ("status" in verdict) observer.record(sql, { status: verdict.status, reason: verdict.reason });
    else
      observer.record(
        sql,
        this.#openness ?? { status: "uncacheable", reason: "it asks for a part of its result only" },
      );
  }

  /** Something else came: what is under way is not one query alone. */
  #drop(): void {
    this.#capture?.spoil();
  }
}

type Cacheable = Extract<Verdict, { isCacheable: true }>;

interface Wanted {
  verdict: Cacheable;
  needsDescription: boolean;
  flight?: Flight;
}

/** Why a query that could be cached is not, given what its session does. */
function opennessOf(session: Session, hasRun: boolean): Refusal | null {
  if (session.status !== STATUS.idle) return { status: "transaction", reason: "it ran inside a transaction" };
  return hasRun ? { status: "transaction", reason: "it was sent behind another statement, before its end" } : null;
}
