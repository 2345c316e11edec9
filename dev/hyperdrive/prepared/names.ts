import type { Expectation, Session } from "../pool/session.ts";
import type { Handle } from "../pool/statements.ts";
import { type Bytes, CLIENT, frame } from "../wire/protocol.ts";

const FLUSH = frame(CLIENT.flush);

type Ending = Required<Pick<Expectation, "done" | "failed">>;

/** What a name stands for from some message on. */
interface Meaning {
  /** Null: nothing. */
  handle: Handle | null;
  /** What it stood for before, and does again when the message turns out to be ignored. */
  earlier: Meaning | null;
  /** The pipeline that the message came in, while the origin has not answered it. */
  pipeline: number | null;
  isVoid: boolean;
}

/**
 * What a client's names stand for, some of which the origin has yet to confirm. Within one pipeline that needs no wait: if
 * what decides is ignored, so is all that follows. Whoever finds a name in doubt has asked the origin to say.
 */
export class Names {
  readonly #meanings = new Map<Bytes, Meaning>();

  get(name: Bytes): Handle | undefined {
    return this.#find(name)?.handle ?? undefined;
  }

  has(name: Bytes): boolean {
    return this.get(name) !== undefined;
  }

  /** Beyond doubt. */
  set(name: Bytes, handle: Handle): void {
    this.#meanings.set(name, { handle, earlier: null, pipeline: null, isVoid: false });
  }

  /** Beyond doubt. */
  delete(name: Bytes): void {
    this.#meanings.delete(name);
  }

  /** Beyond doubt. */
  clear(): void {
    this.#meanings.clear();
  }

  /** By a Parse under way; what is returned has to hear how it ends. */
  define(session: Session, name: Bytes, handle: Handle): Ending {
    const meaning = this.#add(session, name, handle);
    const done = () => this.#settle(name, meaning, handle);
    const failed = (error: unknown) => {
      // A failed Parse takes the unnamed statement away; one that was ignored leaves it.
      if (error !== null && name === "") this.#settle(name, meaning, null);
      else meaning.isVoid = true;
    };
    return { done, failed };
  }

  /** By a message under way; what is returned has to hear how it ends. */
  drop(session: Session, name: Bytes): Partial<Ending> {
    if (this.#find(name) === undefined) return {};
    const meaning = this.#add(session, name, null);
    const done = () => this.#settle(name, meaning, null);
    const failed = (error: unknown) => {
      if (error === null) meaning.isVoid = true;
      else done();
    };
    return { done, failed };
  }

  /** Whether it may yet stand for something or nothing. */
  isOpen(session: Session, name: Bytes): boolean {
    return isInDoubt(session, this.#find(name));
  }

  /** Whether it may yet stand for something else than it will when all goes well. */
  isAmbiguous(session: Session, name: Bytes): boolean {
    const meaning = this.#find(name);
    return (meaning?.earlier ?? null) !== null && isInDoubt(session, meaning);
  }

  #add({ pipeline }: Session, name: Bytes, handle: Handle | null): Meaning {
    const meaning: Meaning = { handle, earlier: this.#find(name) ?? null, pipeline, isVoid: false };
    this.#meanings.set(name, meaning);
    return meaning;
  }

  #settle(name: Bytes, meaning: Meaning, handle: Handle | null): void {
    meaning.handle = handle;
    meaning.earlier = null;
    meaning.pipeline = null;
    if (handle === null && this.#meanings.get(name) === meaning) this.#meanings.delete(name);
  }

  /** The last meaning that has not turned out to be none. */
  #find(name: Bytes): Meaning | undefined {
    const last = this.#meanings.get(name);
    if (last?.isVoid !== true) return last;
    let meaning: Meaning | null = last;
    while (meaning?.isVoid === true) meaning = meaning.earlier;
    if (meaning === null) this.#meanings.delete(name);
    else this.#meanings.set(name, meaning);
    return meaning ?? undefined;
  }
}

function isInDoubt(session: Session, meaning: Meaning | undefined): boolean {
  const pipeline = meaning?.pipeline ?? null;
  if (pipeline === null || pipeline === session.pipeline) return false;
  session.send(FLUSH, null);
  return true;
}
